"""Made from docs/openapi.json by examples/clients/generate: don't edit it."""
