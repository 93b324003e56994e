"""The tests' own course secret, for the sets whose instances need tickets."""

from __future__ import annotations

import pytest

from rlgrade.tickets import SECRET_VARIABLE
from tests.grading.course import SECRET


@pytest.fixture(scope="session", autouse=True)
def course_secret():
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(SECRET_VARIABLE, SECRET)
        yield SECRET
