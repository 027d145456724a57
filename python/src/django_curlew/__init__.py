"""django-curlew: curl_cffi's API on one warm curl for all of a site's processes."""

__version__ = "0.1.0"
