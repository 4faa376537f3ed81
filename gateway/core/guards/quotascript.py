"""What all processes ask of Redis in one step: note what ended, and reserve calls in every window in fair turn.

One hash for each key with an upstream: `w<window>:<moment>` holds the units that may have been counted until then (of a
call under way: until its lease ends), `f/<tenant>` its tag of fair queueing, `q/<process>/<tenant>` until when its
turn is kept, `e/<process>` the number of the last end that it told (what is told twice counts once), `pause` until when
nothing is sent, and `epoch`, which changes where Redis has lost what it held.
"""

from __future__ import annotations

RESERVE = """
local key, a = KEYS[1], cjson.decode(ARGV[1])
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
local flat, held = redis.call('HGETALL', key), {}
for i = 1, #flat, 2 do held[flat[i]] = flat[i + 1] end
local epoch = held.epoch
if not epoch then
  epoch = a.fresh
  redis.call('HSET', key, 'epoch', epoch)
  redis.call('PEXPIRE', key, a.keep)
end
if epoch ~= a.epoch and not a.adopt then return {'new', epoch} end
if #a.claims > 0 and a.told + a.fresh_for < now then return {'stale', epoch} end

local count, entries = {}, {}
local function field(i, at)
  local width = a.windows[i][3]
  return 'w' .. a.windows[i][5] .. ':' .. string.format('%.0f', math.ceil((at + 1) / width) * width)
end
local function add(i, at, units)
  local name = field(i, at)
  local left = (tonumber(held[name]) or 0) + units
  if left > 0 then
    held[name] = left
    redis.call('HSET', key, name, string.format('%.0f', left))
  else
    held[name] = nil
    redis.call('HDEL', key, name)
  end
end
local function units_of(i, weight) return a.windows[i][4] == 1 and weight or 1 end

local heard = tonumber(string.match(held['e/' .. a.process] or '0', '^%d+'))
local last = heard
local function over(told, at)
  for _, each in ipairs(told) do
    if each[3] > heard then
      last = math.max(last, each[3])
      for i = 1, #a.windows do
        if held[field(i, each[1])] then add(i, each[1], -units_of(i, each[2])) end
        if at then add(i, at, units_of(i, each[2])) end
      end
    end
  end
end
over(a.ends, now)
over(a.unused)
if last > heard then redis.call('HSET', key, 'e/' .. a.process, string.format('%.0f:%.0f', last, now)) end
for _, past in ipairs(a.past) do add(past[1], now - past[2], past[3]) end
for _, weight in ipairs(a.open) do
  for i = 1, #a.windows do add(i, now + a.lease, units_of(i, weight)) end
end

local place = {}
for i, window in ipairs(a.windows) do
  place[window[5]], count[i], entries[i] = i, 0, {}
end
local tags, flags, v = {}, {}, tonumber(held.v or '0')
for name, value in pairs(held) do
  local window, at = string.match(name, '^w(%w+):(%d+)$')
  local i = window and place[window]
  if i then
    if tonumber(at) + a.windows[i][1] <= now then
      redis.call('HDEL', key, name)
    else
      count[i] = count[i] + tonumber(value)
      table.insert(entries[i], {tonumber(at), tonumber(value)})
    end
  elseif string.sub(name, 1, 2) == 'f/' then
    tags[string.sub(name, 3)] = tonumber(value)
  elseif string.sub(name, 1, 2) == 'q/' then
    local process, tenant = string.match(name, '^q/([^/]*)/(.*)$')
    if tonumber(value) <= now then
      redis.call('HDEL', key, name)
    else
      flags[name] = {process, tenant, tonumber(value)}
    end
  elseif string.sub(name, 1, 2) == 'e/' and tonumber(string.match(value, '%d+$')) + a.lease <= now then
    redis.call('HDEL', key, name)
  end
end
for _, seen in ipairs(a.seen) do
  local more = math.min(seen[2], a.windows[seen[1]][6]) - count[seen[1]]
  if more > 0 then
    add(seen[1], now, more)
    count[seen[1]] = count[seen[1]] + more
    table.insert(entries[seen[1]], {now, more})
  end
end
local pause = tonumber(held.pause or '0')
if a.pause > 0 and now + a.pause > pause then
  pause = now + a.pause
  redis.call('HSET', key, 'pause', string.format('%.0f', pause))
end

local function room(weight)
  local longest = math.max(pause - now, 0)
  for i, window in ipairs(a.windows) do
    local over = count[i] + units_of(i, weight) - window[2]
    if over > 0 then
      local wait = window[1]
      table.sort(entries[i], function(x, y) return x[1] < y[1] end)
      for _, entry in ipairs(entries[i]) do
        over = over - entry[2]
        if over <= 0 then
          wait = math.min(entry[1] + window[1] - now, window[1])
          break
        end
      end
      longest = math.max(longest, wait, 1)
    end
  end
  return longest
end
local function tag(tenant) return math.max(tags[tenant] or 0, v) end
local granted, done, wait = {}, {}, 0
local function ahead(start)
  local here = {}
  for i, claim in ipairs(a.claims) do
    if not done[i] then here[claim[1]] = true end
  end
  local first
  for _, flag in pairs(flags) do
    local other = not (flag[1] == a.process and here[flag[2]])
    if other and tag(flag[2]) < start and (not first or flag[3] < first) then first = flag[3] end
  end
  return first
end

for _ = 1, #a.claims do
  local best, start
  for i, claim in ipairs(a.claims) do
    if not done[i] and (not start or tag(claim[1]) < start) then best, start = i, tag(claim[1]) end
  end
  local claim, other = a.claims[best], ahead(start)
  if other then
    wait = math.max(other - a.grace - now, a.yield)
    break
  end
  wait = room(claim[3])
  if wait > 0 then break end
  for i = 1, #a.windows do
    add(i, now + a.lease, units_of(i, claim[3]))
    count[i] = count[i] + units_of(i, claim[3])
    table.insert(entries[i], {now + a.lease, units_of(i, claim[3])})
  end
  done[best] = true
  table.insert(granted, best - 1)
  for name, flag in pairs(flags) do
    if name == 'q/' .. a.process .. '/' .. claim[1] then flag[3] = now + a.grace end
  end
  v, tags[claim[1]] = start, start + claim[3] / claim[2]
  redis.call('HSET', key, 'f/' .. claim[1], string.format('%.17g', tags[claim[1]]))
end
if #granted > 0 then redis.call('HSET', key, 'v', string.format('%.17g', v)) end

if a.asking then
  local waiting = {}
  for i, claim in ipairs(a.claims) do
    if not done[i] then
      local name = 'q/' .. a.process .. '/' .. claim[1]
      waiting[name] = true
      redis.call('HSET', key, name, string.format('%.0f', now + wait + a.grace))
    end
  end
  for name, flag in pairs(flags) do
    if flag[1] == a.process and not waiting[name] then
      redis.call('HSET', key, name, string.format('%.0f', math.min(flag[3], now + a.grace)))
    end
  end
end
for tenant, at in pairs(tags) do
  if at <= v then redis.call('HDEL', key, 'f/' .. tenant) end
end
redis.call('PEXPIRE', key, a.keep)
return {'done', epoch, now + a.lease, wait, granted, count}
"""
