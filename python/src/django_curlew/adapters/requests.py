"""requests through Curlew.

    from django_curlew.adapters.requests import CurlewAdapter

    session = requests.Session()
    session.mount("https://", CurlewAdapter())
    session.mount("http://", CurlewAdapter(session="scraper", max_retries=3))

It is a requests.adapters.HTTPAdapter whose connection pools hold no connections: the daemon makes
the exchanges. All else is requests' own: redirects, cookies, authentication, proxies from the
environment, timeouts, decoding, and which exception is raised. So a session may be made for each
request at no cost. `response.raw` is a urllib3.HTTPResponse; `response.raw.curlew` has the envelope
of the fetch: attempts, timings, whether the connection was reused.

docs/adapters.md says what differs from an HTTPAdapter.
"""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, Dict, List, Optional, Sequence, Union

import requests.exceptions as errors
from requests.adapters import DEFAULT_POOLBLOCK, DEFAULT_POOLSIZE, DEFAULT_RETRIES, HTTPAdapter
from requests.models import PreparedRequest, Response
from urllib3 import PoolManager
from urllib3.util.retry import Retry

from .. import daemon as daemon_client
from . import _urllib3_pool as urllib3_pool
from ._urllib3_errors import UNAVAILABLE, BodyError, CurlewError


class CurlewAdapter(HTTPAdapter):
    """A transport adapter, for Session.mount().

    daemon: a Daemon in place of the one in the settings.
    max_retries: an int or a urllib3 Retry, as of HTTPAdapter; the daemon retries.
    pool_connections, pool_maxsize, pool_block: as of HTTPAdapter, and without an effect.

    All others are keys of the request object (docs/api.md) of every request. Where requests has a
    proxy for a request, it wins over `proxy`. `verify=False` and `ca_pem` count where requests has
    `verify=True`; `retries` is in place of max_retries. None leaves a key out.
    """

    __attrs__: List[str] = [*HTTPAdapter.__attrs__, "daemon", "request_keys"]

    def __init__(
        self,
        daemon: Optional[daemon_client.Daemon] = None,
        *,
        pool_connections: int = DEFAULT_POOLSIZE,
        pool_maxsize: int = DEFAULT_POOLSIZE,
        max_retries: Union[int, Retry] = DEFAULT_RETRIES,
        pool_block: bool = DEFAULT_POOLBLOCK,
        ca_pem: Optional[str] = None,
        coalesce: Optional[bool] = None,
        http_version: Optional[str] = None,
        impersonate: Optional[str] = None,
        max_body_bytes: Optional[int] = None,
        max_recv_speed: Optional[int] = None,
        proxy: Optional[str] = None,
        proxy_auth: Optional[Sequence[str]] = None,
        retries: Union[int, Dict[str, Any], None] = None,
        session: Optional[str] = None,
        tag: Optional[str] = None,
        verify: Optional[bool] = None,
    ) -> None:
        self.daemon = daemon
        self.request_keys: Dict[str, Any] = {
            "ca_pem": ca_pem,
            "coalesce": coalesce,
            "http_version": http_version,
            "impersonate": impersonate,
            "max_body_bytes": max_body_bytes,
            "max_recv_speed": max_recv_speed,
            "proxy": proxy,
            "proxy_auth": proxy_auth,
            "retries": retries,
            "session": session,
            "tag": tag,
            "verify": verify,
        }
        super().__init__(
            pool_connections=pool_connections,
            pool_maxsize=pool_maxsize,
            max_retries=max_retries,
            pool_block=pool_block,
        )

    # What HTTPAdapter has for subclasses.

    def init_poolmanager(
        self,
        connections: int,
        maxsize: int,
        block: bool = DEFAULT_POOLBLOCK,
        **pool_arguments: Any,
    ) -> None:
        """As in HTTPAdapter. Arguments for connections, such as an ssl_context, are a TypeError."""
        _refuse(pool_arguments)
        self._pool_connections = connections
        self._pool_maxsize = maxsize
        self._pool_block = block
        self.poolmanager = self._make_manager(proxy=None)

    def proxy_manager_for(self, proxy: str, **proxy_arguments: Any) -> PoolManager:
        """As in HTTPAdapter, with any proxy that the daemon can use: also socks4 and socks5."""
        _refuse(proxy_arguments)
        if proxy not in self.proxy_manager:
            self.proxy_manager[proxy] = self._make_manager(proxy)
        return self.proxy_manager[proxy]

    def cert_verify(self, conn: Any, url: str, verify: Any, cert: Any) -> None:
        """As in HTTPAdapter, but the OSError for a file that does not exist is an SSLError, too.
        `verify=True` is the daemon's own bundle, not certifi's."""
        found = SimpleNamespace(ca_certs=None, ca_cert_dir=None, cert_file=None)
        try:
            super().cert_verify(found, url, verify, cert)
        except OSError as err:
            raise errors.SSLError(err) from err
        conn.cert_reqs = found.cert_reqs
        conn.ca_certs = None if verify is True else found.ca_certs
        conn.ca_cert_dir = found.ca_cert_dir
        conn.cert_file = found.cert_file

    def _make_manager(self, proxy: Optional[str]) -> PoolManager:
        options = urllib3_pool.Options(
            find_daemon=self._find_daemon, request_keys=self.request_keys, proxy=proxy
        )
        return urllib3_pool.make_manager(options, num_pools=self._pool_connections)

    def _find_daemon(self) -> daemon_client.Daemon:
        return self.daemon or daemon_client.current()

    def send(
        self,
        request: PreparedRequest,
        stream: bool = False,
        timeout: Any = None,
        verify: Any = True,
        cert: Any = None,
        proxies: Any = None,
    ) -> Response:
        try:
            response: Response = super().send(request, stream, timeout, verify, cert, proxies)
        except BodyError as err:
            raise errors.ChunkedEncodingError(err.args[0], request=request) from err
        except CurlewError as err:
            raise _to_requests_error(err, request) from err
        return response


def _refuse(pool_arguments: Dict[str, Any]) -> None:
    for name in pool_arguments:
        raise TypeError(f"{name}: the daemon makes the connections; see docs/adapters.md")


def _to_requests_error(err: CurlewError, request: PreparedRequest) -> errors.RequestException:
    error_class = errors.RequestException
    if err.code == "bad_url":
        error_class = errors.InvalidURL
    elif str(err).startswith("bad_request: proxy:"):
        error_class = errors.InvalidProxyURL
    elif err.code == "bad_request" and "headers" in str(err):
        error_class = errors.InvalidHeader
    elif err.code in UNAVAILABLE:
        error_class = errors.ConnectionError
    error: errors.RequestException = error_class(err, request=request)
    return error
