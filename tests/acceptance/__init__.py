"""The product as its users start it: demo, `make local`, the page against the real flow, the API against its contract.

Most of these start an emulator and a dozen processes each, so they are apart from `make test`.
"""
