"""nbgrader's settings for this course: run its commands from this folder."""

import os
import sys

from nbgrader.converters import Autograde, GenerateFeedback
from nbgrader.coursedir import CourseDirectory
from nbgrader.preprocessors import ClearHiddenTests, Execute, GetGrades

from rlgrade.preprocessors import ExecuteForStudent, ShortErrors, WrapMessages

c = get_config()  # noqa: F821 (nbgrader provides it)

# nbgrader calls `alembic` by name: find this environment's, even where it is not activated.
os.environ["PATH"] = os.pathsep.join([os.path.dirname(sys.executable), os.environ.get("PATH", "")])

c.CourseDirectory.course_id = "rl-foundations"
c.CourseDirectory.source_directory = "solutions"
c.CourseDirectory.release_directory = "exercises"
# The catalogue of wrong answers lies beside its notebook, and must reach neither students nor submissions.
c.CourseDirectory.ignore = [*CourseDirectory.ignore.default_args[0], "wrong_answers.py"]

c.ClearSolutions.code_stub = {"python": "raise NotImplementedError  # replace this line by your answer"}
c.ClearSolutions.text_stub = "*Replace this line by your answer.*"

# One kernel at a time, told whose submission it runs; a cell that is still busy after 30 s scores 0.
c.Autograde.autograde_preprocessors = [
    ExecuteForStudent if step is Execute else step for step in Autograde.autograde_preprocessors.default_args[0]
]
c.Execute.timeout = 30
c.Execute.interrupt_on_timeout = True
c.ClearOutput.enabled = True
c.OverwriteCells.add_missing_cells = True  # a deleted test cell costs its own points only: later ones use its helpers

# Feedback shows a student the messages, never the hidden tests.
steps = GenerateFeedback.preprocessors.default_args[0]
c.GenerateFeedback.preprocessors = [GetGrades, ClearHiddenTests, ShortErrors, *steps[1:], WrapMessages]
