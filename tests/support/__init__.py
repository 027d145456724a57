"""What the integration tests stand on: processes, web servers, an origin, a raw FastCGI client."""
