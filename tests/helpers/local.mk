# tests/helpers
