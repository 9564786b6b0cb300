"""What describes the server: OpenAPI, AsyncAPI, the pages."""
