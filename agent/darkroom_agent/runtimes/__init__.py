"""The adapters: one file per runtime type, and the registry that knows them all."""
