"""What a process's report does in Redis: one JSON text holds the two lists, when each was heard of, and what it heard.

`at` says when a process reported last, `heard` which list it then had. A new list is made when all have heard of the
last one. A Redis that has forgotten is told the list by those who had it: the oldest `root` wins. Who thinks that it is
alone goes on without waiting, so something is left for it from the first moment of another until it has heard of that.
"""

from __future__ import annotations

_OPENED = """
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
local kept = redis.call('GET', KEYS[1])
local s = kept and cjson.decode(kept)
local function save(ms) redis.call('SET', KEYS[1], cjson.encode(s), 'PX', string.format('%.0f', ms)) end
"""

REPORT = (
    _OPENED
    + """
local a = cjson.decode(ARGV[1])
if a.latest > 0 and now > a.latest then return cjson.encode({state = 'late', now = now, born = a.born}) end
if not s then s = {born = a.fresh, root = now, serial = 0, names = {}, before = {}, at = {}, heard = {}} end
if a.born ~= '' and a.born ~= s.born then
  save(a.held)
  return cjson.encode({state = 'forgot', now = now, born = s.born})
end
if a.serial > 0 and (a.root < s.root or (a.root == s.root and a.serial > s.serial)) then
  s.root, s.serial, s.names, s.before, s.heard = a.root, a.serial, a.names, a.before, {}
  for _, names in ipairs({a.names, a.before}) do
    for _, name in ipairs(names) do s.at[name] = s.at[name] or now end
  end
end
s.at[a.name] = now
s.heard[a.name] = a.root == s.root and a.serial or 0
for name, at in pairs(s.at) do
  if at + a.held <= now then s.at[name], s.heard[name] = nil, nil end
end
local function settled(but)
  for _, names in ipairs({s.names, s.before}) do
    for _, name in ipairs(names) do
      if name ~= but and s.at[name] and s.heard[name] ~= s.serial then return false end
    end
  end
  return true
end
local there = {}
for name in pairs(s.at) do table.insert(there, name) end
table.sort(there)
if table.concat(there, ' ') ~= table.concat(s.names, ' ') and settled() then
  s.before, s.names, s.serial = s.names, there, s.serial + 1
end
local held = {}
for _, name in ipairs(there) do
  local alone = #s.names == 1 and s.names[1] == name
  local unheard = #s.before == 1 and s.before[1] == name and s.heard[name] ~= s.serial
  if name ~= a.name and (alone or unheard or s.at[name] + a.silent <= now) then table.insert(held, name) end
end
save(a.held)
local function some(names) return #names > 0 and names or nil end
return cjson.encode({
  state = 'done', now = now, born = s.born, root = s.root, serial = s.serial, settled = settled(a.name),
  names = s.names, before = some(s.before), held = some(held),
})
"""
)

LEAVE = (
    _OPENED
    + """
if s then
  s.at[ARGV[1]], s.heard[ARGV[1]] = nil, nil
  save(ARGV[2])
end
"""
)
