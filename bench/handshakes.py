"""python handshakes.py URL CA TARGET COUNT AT_ONCE: curl_cffi, a new connection for each request.

Prints its own processor time for each, in µs.
"""

import asyncio
import sys
import time

from curl_cffi.requests import AsyncSession


async def ask(session, url, ca, target, count):
    for _ in range(count):
        response = await session.get(url, impersonate=target, verify=ca)
        if response.status_code != 200:
            raise SystemExit(f"{response.status_code} from {url}")


async def main(url, ca, target, count, at_once):
    async with AsyncSession(max_clients=at_once) as session:
        await asyncio.gather(*(ask(session, url, ca, target, 1) for _ in range(at_once)))
        start = time.process_time()
        await asyncio.gather(*(ask(session, url, ca, target, count // at_once)
                               for _ in range(at_once)))
        print((time.process_time() - start) * 1e6 / (count // at_once * at_once))


asyncio.run(main(*sys.argv[1:4], *map(int, sys.argv[4:])))
