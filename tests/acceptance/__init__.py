"""The product as its users have it, from the demo to the predecessor's formats.

Most of these start an emulator or a dozen processes each, so they are apart from `make test`.
"""
