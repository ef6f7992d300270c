"""The playground in a real browser, against an API whose answers the tests decide."""
