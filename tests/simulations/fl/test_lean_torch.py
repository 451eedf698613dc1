"""What torch's import leaves out for a run, and that it can be had when something needs it."""

from __future__ import annotations

import subprocess
import sys

LEAN = """
import gc, sys
from simulations.fl import lean_torch
lean_torch.load()
assert gc.isenabled() and gc.get_freeze_count() > 100_000
import torch
from torch.nn import functional
assert lean_torch.SHAPES not in sys.modules

weight = torch.ones(3, 2, requires_grad=True)
functional.cross_entropy(torch.eye(2) @ weight.T, torch.tensor([0, 2])).backward()
assert weight.grad.isfinite().all()

points = torch.empty(4, 8, device="meta")
try:
    torch.cdist(points, points)
except NotImplementedError:
    pass
else:
    raise AssertionError("torch needs no descriptions any more: leave them to it")
lean_torch.complete()
assert torch.cdist(points, points).shape == (4, 4)
squares = torch.func.vmap(torch.func.grad(lambda one: one.square().sum()))
assert torch.equal(squares(torch.ones(2, 3)), torch.full((2, 3), 2.0))
"""
WHOLE = """
import torch
from simulations.fl import lean_torch
lean_torch.load()
lean_torch.complete()
points = torch.empty(4, 8, device="meta")
assert torch.cdist(points, points).shape == (4, 4)
"""


def test_a_run_does_without_what_only_compilers_need_until_it_is_asked_for() -> None:
    subprocess.run([sys.executable, "-c", LEAN], check=True, timeout=120)


def test_a_torch_that_is_there_already_stays_as_it_is() -> None:
    subprocess.run([sys.executable, "-c", WHOLE], check=True, timeout=120)
