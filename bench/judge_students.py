"""What students return: ``judge_students.py ORDER``; JSON in, JSON out.

Every checkpoint is loaded strictly into rsl_rl's own model and flown over the same episodes, whoever trained it.
"""

from __future__ import annotations

import json
import sys

import torch
from rsl_rl_crew import Fleet, load_teacher, make_student, mean_return


def main() -> None:
    order = json.loads(sys.argv[1])
    torch.set_num_threads(1)
    fleet = Fleet(order)
    seen = fleet.reset(order["seed"])
    judged = {"seed": order["seed"], "episodes_each": order["episodes_each"]}
    teacher_return = mean_return(fleet, load_teacher(seen, order), **judged)
    student = make_student(seen, order)
    returns = []
    for checkpoint in order["checkpoints"]:
        student.load_state_dict(torch.load(checkpoint, weights_only=True)["student_state_dict"])
        returns.append(mean_return(fleet, student, **judged))
    fleet.close()
    print(json.dumps({"teacher_return": teacher_return, "student_returns": returns}))


if __name__ == "__main__":
    main()
