"""`python -m darkroom_deploy`."""

from .main import main

main()
