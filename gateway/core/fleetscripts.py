"""What the fleet's breakers ask of Redis in one step each: a record, the right to the trial call, orders done.

Keys are the record, the trial's lock, and the mark of an operator's order; the first argument is the epoch that the
asker knows. Epochs are Redis's milliseconds, so that they grow on also after Redis has lost everything.
"""

from __future__ import annotations

_HELD = """
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
local raw = redis.call('GET', KEYS[1])
local held = raw and cjson.decode(raw) or nil
local known = tonumber(ARGV[1])
"""

READ = _HELD + "return {raw, now}"

# An order counts once. A trial's verdict on an older opening is too late. Who finds a fresh opening joins it.
WRITE = (
    _HELD
    + """
local open, kind = ARGV[2] == '1', ARGV[7]
if kind == 'order' then
  if not redis.call('SET', KEYS[3], '1', 'NX', 'PX', ARGV[8]) then return {0, raw, now} end
elseif held then
  if kind == 'trial' and held.epoch > known then return {0, raw, now} end
  if kind == 'calls' and open and held.open and now < held.at + held.rest then return {0, raw, now} end
  if not open and not held.open then return {0, raw, now} end
end
local epoch = math.max(now, known + 1, held and held.epoch + 1 or 0)
local text = cjson.encode({
  epoch = epoch, at = now, open = open, reason = ARGV[3], by = ARGV[4], rest = tonumber(ARGV[5])
})
redis.call('SET', KEYS[1], text, 'PX', ARGV[6])
redis.call('DEL', KEYS[2])
return {1, text, now}
"""
)

CLAIM = (
    _HELD
    + """
if held and held.epoch > known then return {'news', 0, raw, now} end
if held and held.open and now < held.at + held.rest then return {'wait', held.at + held.rest - now, raw, now} end
if redis.call('SET', KEYS[2], ARGV[2], 'NX', 'PX', ARGV[3]) then return {'yes', 0, raw, now} end
return {'wait', redis.call('PTTL', KEYS[2]), raw, now}
"""
)

RENEW = """
if redis.call('GET', KEYS[2]) ~= ARGV[2] then return {0} end
return {redis.call('PEXPIRE', KEYS[2], ARGV[3])}
"""

RELEASE = """
if redis.call('GET', KEYS[2]) ~= ARGV[2] then return {0} end
return {redis.call('DEL', KEYS[2])}
"""
