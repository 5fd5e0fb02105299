# tests/builder
