-- wrk.lua - what wrk sends, and its result as one line of JSON.
--
-- BENCH_BODY makes it a POST of that request object.  BENCH_ONCE lets each connection ask once.

local body = os.getenv("BENCH_BODY")
local asked, once = 0, tonumber(os.getenv("BENCH_ONCE"))

if body then
    wrk.method = "POST"
    wrk.body = body
    wrk.headers["Content-Type"] = "application/json"
end

if once then
    -- Asked before every request, for how many milliseconds it should wait.
    function delay()
        asked = asked + 1
        return asked > once and 3600 * 1000 or 0
    end
end

function done(summary, latency)
    local e = summary.errors
    io.write(string.format('\n{"requests": %d, "failed": %d, "seconds": %.6f, "p50_ms": %.3f, '
        .. '"p99_ms": %.3f, "max_ms": %.3f}\n',
        summary.requests, e.connect + e.read + e.write + e.status + e.timeout,
        summary.duration / 1e6, latency:percentile(50) / 1e3, latency:percentile(99) / 1e3,
        latency.max / 1e3))
end
