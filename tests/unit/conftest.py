"""What the unit tests share."""

import botocore.session
import pytest
from botocore.loaders import create_loader


@pytest.fixture(autouse=True, scope="session")
def _service_models_are_read_once() -> None:
    """Each command of the command line makes a session of botocore, which reads megabytes of JSON anew."""
    loader = create_loader()
    botocore.session.create_loader = lambda search_path_string=None: loader
