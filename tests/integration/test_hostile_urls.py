"""Hundreds of spellings of forbidden addresses: none is connected to, whatever way it comes.

In a network of its own (tests/support/own_network.py), where a listener would notice.
"""

import base64
import itertools

import pytest

from tests.support.curlewd import Curlewd
from tests.support.dns_server import AAAA, A
from tests.support.namespaces import is_possible
from tests.support.own_network import Listener, OwnNetwork, dns_server
from tests.support.scripted_origin import answer

PUBLIC, PROXY = "93.184.215.14", "93.184.215.15"
ADDRESSES = ["127.0.0.1", "127.255.255.254", "10.0.0.5", "172.16.0.1", "192.168.1.1",
             "169.254.169.254", "100.64.0.1", "0.0.0.0", "198.18.0.1"]
INSIDE6 = ["::1", "::", "fd00::5", "fe80::1", "fec0::1", "ff02::1", "fd00:ec2::254", "100::1",
           "2001:db8::1", "5f00::1", "3fff::1"]

FULL_WIDTH = str.maketrans("0123456789abcdefx.", "０１２３４５６７８９ａｂｃｄｅｆｘ．")
CIRCLED = str.maketrans("0123456789", "⓪①②③④⑤⑥⑦⑧⑨")
MATHEMATICAL = str.maketrans("0123456789", "𝟘𝟙𝟚𝟛𝟜𝟝𝟞𝟟𝟠𝟡")
SUPERSCRIPT = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")


def percent(text):
    return "".join(f"%{ord(c):02x}" for c in text)


def numbers(address):
    """The spellings of inet_aton(), from one part to four, in each base."""
    a, b, c, d = map(int, address.split("."))
    whole, low3, low2 = a << 24 | b << 16 | c << 8 | d, b << 16 | c << 8 | d, c << 8 | d
    yield from (address, f"{whole}", f"{whole:#x}", f"0{whole:o}", f"0X{whole:X}", f"00{whole:o}",
                f"{a}.{low3}", f"{a}.{b}.{low2}", f"{a:#x}.{low3}", f"0{a:o}.{b}.{low2:#x}",
                f"{a:#x}.{b:#x}.{c:#x}.{d:#x}", f"0{a:o}.0{b:o}.0{c:o}.0{d:o}",
                f"0{a:o}.{b}.{c:#x}.{d}", f"0x000000{a:x}.{b}.{c}.{d}", f"000000{a:o}.{b}.{c}.{d}")


def odd_letters(address):
    """What international names, percent-encoding and dots make of it."""
    for table in (FULL_WIDTH, CIRCLED, MATHEMATICAL, SUPERSCRIPT):
        yield address.translate(table)
    for dot in ("。", "．", "｡", "%2e", "%2E"):
        yield address.replace(".", dot)
    yield from (percent(address), percent(address[0]) + address[1:], percent(percent(address)),
                address + ".", address + "..", address + "%2e", address + "%00", address + "%20",
                "%00" + address, address + "\u00ad", address[:1] + "\u200b" + address[1:])


def embedded(address):
    """IPv6 addresses that carry it."""
    a, b, c, d = map(int, address.split("."))
    high, low = f"{a << 8 | b:x}", f"{c << 8 | d:x}"
    flipped = f"{~(a << 8 | b) & 0xffff:x}:{~(c << 8 | d) & 0xffff:x}"
    yield from (f"[::ffff:{address}]", f"[::ffff:{high}:{low}]", f"[0:0:0:0:0:ffff:{high}:{low}]",
                f"[::FFFF:{high.upper()}:{low}]", f"[::{address}]", f"[::ffff:0:{address}]",
                f"[64:ff9b::{address}]", f"[64:ff9b:1::{address}]", f"[2002:{high}:{low}::1]",
                f"[2001:0:808:808::{flipped}]", f"[2001:0:{high}:{low}::1]",
                f"[2606:2800::5efe:{address}]", f"[2606:2800::200:5efe:{address}]",
                f"[::ffff:{address}%25lo]", f"[::ffff:{address}%lo]")


def around(address):
    """The host is one thing to one parser and another to the next."""
    for inside, outside in ((address, PUBLIC), (PUBLIC, address)):
        yield from (f"http://{outside}@{inside}/", f"http://{outside}:80@{inside}/",
                    f"http://u:p@{outside}@{inside}/", f"http://{outside}#@{inside}/",
                    f"http://{outside}?@{inside}/", f"http://{outside}/@{inside}/",
                    f"http://{outside}\\@{inside}/", f"http://{outside}%5c@{inside}/",
                    f"http://{outside}%2f@{inside}/", f"http://{outside}%23@{inside}/",
                    f"http://{outside}%40{inside}/", f"http://{outside}:@{inside}/",
                    f"http://{outside};@{inside}/", f"http://{outside} @{inside}/",
                    f"http://{outside}\t@{inside}/", f"http://{outside}\r\n@{inside}/",
                    f"http://{outside},{inside}/", f"http://{outside}&@{inside}/")
    yield from (f"HTTP://{address}/", f"hTTp://{address}:80/", f"http:\\\\{address}\\",
                f"http:/{address}/", f"http:{address}/", f"http:///{address}/", f"//{address}/",
                f"\thttp://{address}/", f" http://{address}/", f"ht\ntp://{address}/",
                f"http://\t{address}/", f"http://{address[:2]}\t{address[2:]}/",
                f"http://{address}:080/", f"http://{address}:0000000080/", f"http://{address}:/",
                f"http://[{address}]/", f"http://{address}:80:80/", f"url:http://{address}/",
                f"ftp://{address}/", f"gopher://{address}:80/_", f"file://{address}/etc/passwd",
                f"dict://{address}:80/", f"ws://{address}/", f"jar:http://{address}!/",
                f"http+unix://{address}/", f"http://{address}.nip.test/",
                f"http://{address.replace('.', '-')}.nip.test/", f"http://x@{address}.nip.test./")


def spellings():
    for address in ADDRESSES:
        hosts = itertools.chain(numbers(address), odd_letters(address), embedded(address))
        yield from (f"http://{host}/" for host in hosts)
    for address in ADDRESSES[:3]:
        yield from around(address)
    for address in INSIDE6:
        for host in (f"[{address}]", f"[{address}%25lo]", f"[{address}%lo]", f"[{address}%251]"):
            yield f"http://{host}/"
    for name in ("localhost", "LOCALHOST", "localhost.", "a.localhost", "ⓛocalhost",
                 "localhost.nip.test", "%6cocalhost", "ｌocalhost", "loc\u00adalhost"):
        yield f"http://{name}/"


SPELLINGS = list(dict.fromkeys(spellings()))


def records(name, kind, times):
    """127.0.0.1.nip.test and 127-0-0-1.nip.test, as services on the Internet do."""
    label = name.removesuffix(".nip.test").replace("-", ".")
    if name.endswith(".nip.test") and kind == A:
        return [(name, A, "127.0.0.1" if label == "localhost" else label)]
    if name == "public.test":
        return [(name, A, PUBLIC)] if kind == A else []
    return [(name, AAAA, "::1")] if name.endswith("localhost") and kind == AAAA else []


def respond(head):
    """Redirects to what X-To says, as it is; each connection serves one request."""
    lines = head.split(b"\r\n")
    wanted = [line[6:] for line in lines if line.lower().startswith(b"x-to: ")]
    if wanted:
        return answer("", "302 Found", ["Connection: close",
                                        "Location: " + wanted[0].decode("latin-1")])
    return answer("ok", fields=["Connection: close"])


@pytest.fixture(scope="module")
def network():
    if not is_possible():
        pytest.skip("network namespaces need root")
    with OwnNetwork() as network:
        network.start(dns_server, records)
        yield network


@pytest.fixture(scope="module")
def everywhere(network):
    return network.start(Listener, 80, respond)


@pytest.fixture(scope="module")
def told(network):
    return network.start(Listener, 1080, lambda head: None)


@pytest.fixture(scope="module", params=["C", "C.UTF-8"])
def strict(request, network, everywhere):
    daemon = Curlewd({"egress": {"allow": []}, "sessions": {"p": {"proxy_resolves": True}}},
                     env={"LC_ALL": request.param}, wrapper=network.wrapper)
    yield daemon
    daemon.stop()


def forbidden(listener):
    return [a for a in listener.reached if a not in (PUBLIC, PROXY)]


def ask_all(daemon, everywhere, keys_of):
    """The URLs of which a fetch reached a forbidden address."""
    reached = []
    for url in SPELLINGS:
        before = len(forbidden(everywhere))
        response = daemon.client.post({"timeout": 5, **keys_of(url)})
        if len(forbidden(everywhere)) > before:
            reached.append(url)
        if response.status != 200:
            assert response.json()["code"] in (
                "blocked", "bad_url", "bad_request", "dns_failed", "protocol_error",
                "connect_failed", "proxy_failed", "timeout", "too_many_redirects"), (url, response)
    return reached


def test_there_are_hundreds_of_them():
    assert len(SPELLINGS) > 500


def test_no_spelling_reaches_a_forbidden_address(strict, everywhere):
    assert ask_all(strict, everywhere, lambda url: {"url": url}) == []


def test_no_redirect_to_one_reaches_a_forbidden_address(strict, everywhere):
    def redirected(url):
        there = url.replace("\r", "").replace("\n", "").encode()
        return {"url": "http://public.test/", "max_redirects": 2,
                "headers": [["X-To", {"base64": base64.b64encode(there).decode()}]]}

    before = len(everywhere.heads)
    assert ask_all(strict, everywhere, redirected) == []
    assert len(everywhere.heads) - before > len(SPELLINGS)


@pytest.mark.parametrize("scheme", ["http", "socks4", "socks5h"])
def test_no_spelling_is_told_to_a_proxy(strict, everywhere, told, scheme):
    """A name that a service on the Internet makes of an address is the proxy's to refuse."""
    through = f"{scheme}://{PROXY}:1080"
    told.heads.clear()
    names = []
    for url in SPELLINGS:
        if ".nip.test" in url or PUBLIC in url:
            continue
        asked = len(told.heads)
        strict.client.post({"url": url, "proxy": through, "session": "p", "timeout": 5})
        if len(told.heads) > asked:
            names.append(url)
    assert names == []
    assert forbidden(everywhere) == [] and set(told.reached) <= {PROXY}


def test_without_the_guard_many_of_them_would_reach_one(network, everywhere):
    """The listener notices, and so the tests above can fail."""
    daemon = Curlewd({"egress": {"allow": ["0.0.0.0/0", "::/0"]}}, wrapper=network.wrapper)
    assert len(ask_all(daemon, everywhere, lambda url: {"url": url})) > 250
    daemon.stop()
