"""Makes CurlewAdapter the adapter of every Session, and of every test that makes one."""

import requests.adapters
import requests.sessions

from django_curlew.adapters.requests import CurlewAdapter

requests.adapters.HTTPAdapter = CurlewAdapter
requests.sessions.HTTPAdapter = CurlewAdapter
