-- wrk.lua - what wrk sends, and its result as one line of JSON.
--
-- BENCH_BODY makes it a POST of that request object; BENCH_BODIES is a file with one a line, sent in
-- turn.  BENCH_ROUTES sends so many values of Curlew-Route in turn.  BENCH_ACCEPT is a header.
-- BENCH_ONCE lets each connection ask once.

local ffi = require("ffi")
ffi.cdef [[
    struct timespec { long seconds, nanoseconds; };
    int clock_gettime(int clock, struct timespec *now);
]]

local body = os.getenv("BENCH_BODY")
local file = os.getenv("BENCH_BODIES")
local routes = tonumber(os.getenv("BENCH_ROUTES"))
local once = tonumber(os.getenv("BENCH_ONCE"))
local asked, threads = 0, {}
local start

-- When the last of the whole crowd was answered, from the first question on.
last = 0

local function now()
    local t = ffi.new("struct timespec")
    ffi.C.clock_gettime(1, t) -- CLOCK_MONOTONIC
    return tonumber(t.seconds) + tonumber(t.nanoseconds) / 1e9
end

if body or file then
    wrk.method = "POST"
    wrk.body = body
    wrk.headers["Content-Type"] = "application/json"
end
wrk.headers["Accept"] = os.getenv("BENCH_ACCEPT")

if file or routes then
    local requests, next_one = {}, 0

    -- Once for each thread, when wrk.headers has the host.
    function init()
        for line in file and io.lines(file) or function() end do
            table.insert(requests, wrk.format(nil, nil, nil, line))
        end
        for n = 1, routes or 0 do
            wrk.headers["Curlew-Route"] = "http://o" .. n .. ".test:80"
            table.insert(requests, wrk.format())
        end
    end

    function request()
        next_one = next_one % #requests + 1
        return requests[next_one]
    end
end

if once then
    -- Asked before every request, for how many milliseconds it should wait.
    function delay()
        start = start or now()
        asked = asked + 1
        return asked > once and 3600 * 1000 or 0
    end

    function response()
        last = now() - start
    end
end

function setup(thread)
    table.insert(threads, thread)
end

function done(summary, latency)
    local e = summary.errors
    io.write(string.format('\n{"requests": %d, "failed": %d, "seconds": %.6f, "p50_ms": %.3f, '
        .. '"p99_ms": %.3f, "last_s": %.3f}\n',
        summary.requests, e.connect + e.read + e.write + e.status + e.timeout,
        summary.duration / 1e6, latency:percentile(50) / 1e3, latency:percentile(99) / 1e3,
        threads[1]:get("last")))
end
