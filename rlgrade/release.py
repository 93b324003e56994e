"""Write the students' notebooks: `python -m rlgrade.release [SLUG ...]`, from the repository's folder.

Runs `nbgrader generate_assignment SLUG --force --no-db` for each problem set in `solutions/`, so that no gradebook is
needed. The same sources give the same bytes.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

__all__ = ["release"]


def release(slugs: list[str], course: Path = Path()) -> None:
    """Generate the sets named by `slugs`, or all, in the `course` folder that holds nbgrader_config.py.

    (No arrays.) Raises SystemExit with nbgrader's log where a set cannot be generated.
    Source: nbgrader documentation, "Creating and grading assignments".
    """
    slugs = slugs or sorted(path.parent.name for path in course.glob("solutions/*/*.ipynb"))
    for slug in slugs:
        command = [sys.executable, "-m", "nbgrader", "generate_assignment", slug, "--force", "--no-db"]
        done = subprocess.run(command, cwd=course, capture_output=True, text=True, check=False)
        if done.returncode:
            raise SystemExit(f"nbgrader could not generate {slug}:\n{done.stdout}{done.stderr}")
        print(f"exercises/{slug}")


if __name__ == "__main__":
    release(sys.argv[1:])
