"""Unit, contract, integration and acceptance tests, the fault campaign and the benchmark."""
