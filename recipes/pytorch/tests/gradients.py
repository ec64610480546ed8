"""Gradients are the analytic ones, a layer finds the line that its data lie on, and what is saved is what was there."""

import io
import math

import numpy as np
import torch

assert "a0" not in torch.__version__, torch.__version__
assert not torch.cuda.is_available()

# d/dx x^2 e^-x = (2x - x^2) e^-x, at 3: -3 e^-3; once more (2 - 4x + x^2) e^-x, at 3: -e^-3.
x = torch.tensor(3.0, dtype=torch.float64, requires_grad=True)
(first,) = torch.autograd.grad(torch.exp(-x) * x**2, x, create_graph=True)
(second,) = torch.autograd.grad(first, x)
assert math.isclose(first.item(), -3 * math.exp(-3), rel_tol=1e-12)
assert math.isclose(second.item(), -math.exp(-3), rel_tol=1e-12)

# The gradient of |Av|^2 / 2 is A^T A v.
torch.manual_seed(1)
matrix = torch.randn(7, 5, dtype=torch.float64)
vector = torch.randn(5, dtype=torch.float64, requires_grad=True)
((matrix @ vector).square().sum() / 2).backward()
assert np.allclose(vector.grad.numpy(), matrix.numpy().T @ (matrix.numpy() @ vector.detach().numpy()), rtol=1e-12)

# Of y = 2x + 1 a single layer finds both numbers.
model = torch.nn.Linear(1, 1)
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
points = torch.linspace(-1, 1, 64)[:, None]
for _ in range(200):
    optimizer.zero_grad()
    torch.nn.functional.mse_loss(model(points), 2 * points + 1).backward()
    optimizer.step()
assert abs(model.weight.item() - 2) < 0.01
assert abs(model.bias.item() - 1) < 0.01

file = io.BytesIO()
torch.save(model.state_dict(), file)
file.seek(0)
again = torch.nn.Linear(1, 1)
again.load_state_dict(torch.load(file, weights_only=True))
assert torch.equal(again(points), model(points))
