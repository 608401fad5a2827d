-- Decides about one request of one tenant: one round trip, and atomic. All that is admitted is written down; a request that is
-- refused changes nothing. Times are whole microseconds, which a Lua number holds exactly.
--
-- KEYS: a hash (the theoretical arrival time, the day, what was used of it), a list (when each request of the last minute came).
-- ARGV: now, or -1 for the clock of Redis; limit of a minute; burst; quota of a day.
local minute, day = 60000000, 86400000000
local now, limit, burst, quota = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
if now < 0 then
	local clock = redis.call('TIME')
	now = tonumber(clock[1]) * 1000000 + tonumber(clock[2])
end
local asked = now

-- Processes whose clocks differ a little must not write a log that goes back in time.
local last = redis.call('LINDEX', KEYS[2], -1)
if last then now = math.max(now, tonumber(last)) end

local known = redis.call('HMGET', KEYS[1], 'tat', 'day', 'used')
local interval = math.floor(minute / limit)
local tat = math.max(tonumber(known[1] or 0), now)
local today = math.max(math.floor(now / day), tonumber(known[2] or 0))
local used = 0
if tonumber(known[2] or 0) == today then used = tonumber(known[3] or 0) end

-- Each entry leaves the log once: what has left the minute counts no more.
local logged = redis.call('LLEN', KEYS[2])
local function at(index) return tonumber(redis.call('LINDEX', KEYS[2], index)) end
while logged > 0 and at(0) + minute <= now do
	redis.call('LPOP', KEYS[2])
	logged = logged - 1
end

-- When each of the three would admit it. After a change to a lower tier the log may be longer than the limit.
local by_burst = tat - interval * (burst - 1)
local by_minute, by_day = now, now
if logged >= limit then by_minute = at(logged - limit) + minute end
if used >= quota then by_day = (today + 1) * day end
local earliest = math.max(now, by_burst, by_minute, by_day)

if earliest <= now then
	tat, used, logged = tat + interval, used + 1, logged + 1
	redis.call('RPUSH', KEYS[2], string.format('%.0f', now))
	redis.call('PEXPIRE', KEYS[2], minute / 1000)
	redis.call('HSET', KEYS[1], 'tat', string.format('%.0f', tat), 'day', today, 'used', used)
	redis.call('PEXPIRE', KEYS[1], string.format('%.0f', math.ceil((math.max(tat, (today + 1) * day) - now) / 1000)))
end

-- How many more would pass at once, and in what time there is one more, of each.
local left = math.max(0, math.floor(burst - (tat - now) / interval))
local next_burst, next_minute = 0, 0
if left < burst then next_burst = tat + left * interval - interval * (burst - 1) - asked end
if logged > 0 then next_minute = at(math.max(0, logged - limit)) + minute - asked end
return {
	earliest > now and earliest - asked or 0,
	left, next_burst,
	math.max(0, limit - logged), next_minute,
	math.max(0, quota - used), (today + 1) * day - asked,
}
