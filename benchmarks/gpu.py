"""The default SketchVAE on JAX and XLA against the same network on PyTorch's cuDNN LSTM.

    python benchmarks/gpu.py [--tiny]

Needs JAX and Keras, not TensorFlow, and no installation of this repository; PyTorch is optional.
Runs on a CPU as well, where its figures say little about a GPU.
"""

import argparse
import os
import sys
import time

os.environ["KERAS_BACKEND"] = "jax"
os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")  # PyTorch needs memory too

import numpy as np
from measure import REPOSITORY, heading, spread, table

# On a bare machine the package is not installed: `latentgen.sketch` is then the folder `sketch`.
sys.path.insert(0, str(REPOSITORY))
import latentgen

latentgen.__path__.append(str(REPOSITORY))

DEFAULT = {"latent_size": 128, "encoder_units": 256, "decoder_units": 512, "mixtures": 20}
TINY = {"latent_size": 4, "encoder_units": 8, "decoder_units": 8, "mixtures": 3}


def make_batch(size: int, steps: int, generator: np.random.Generator) -> dict[str, np.ndarray]:
    """Random stroke-5 sequences (size, steps, 5) whose content fills them but for the last step."""
    sequence = np.zeros((size, steps, 5), "float32")
    sequence[:, :-1, :2] = generator.normal(size=(size, steps - 1, 2))
    sequence[
        np.arange(size)[:, None], np.arange(steps - 1), generator.integers(2, 4, steps - 1)
    ] = 1
    sequence[:, -1, 4] = 1
    return {"sequence": sequence, "length": np.full(size, steps - 1, "int32")}


def rounds(function, repeats: int) -> list[float]:
    """Seconds of each of `repeats` calls after one that compiles; each must wait for its result."""
    times = []
    for _ in range(repeats + 1):
        started = time.perf_counter()
        function()
        times.append(time.perf_counter() - started)
    return times[1:]


class Ours:
    """SketchVAE through Keras: `fit` and `generate`, as a user calls them."""

    def __init__(self, sizes: dict, steps: int, dropout: float):
        import keras

        from latentgen.sketch.vae import SketchVAE, published_optimizer

        keras.utils.set_random_seed(0)
        self.vae = SketchVAE(**sizes, max_length=steps, recurrent_dropout=dropout)
        kernel, bias = self.vae.head.projection.get_weights()
        bias[2] = -1e3  # no drawing ends before its last step
        self.vae.head.projection.set_weights([kernel, bias])
        self.vae.compile(published_optimizer(), jit_compile=True)

    def train(self, batches: list) -> None:
        self.vae.fit(
            ((batch,) for batch in batches), steps_per_epoch=len(batches), epochs=1, verbose=0
        )

    def draw(self, n: int) -> np.ndarray:
        return self.vae.generate(self.vae.sample_prior(n), temperature=0.5)


def torch_network(sizes: dict, steps: int):
    """The same network, loss and optimiser in PyTorch; no recurrent dropout, which cuDNN lacks."""
    import torch
    from torch import nn

    device = "cuda" if torch.cuda.is_available() else "cpu"
    torch.backends.cuda.matmul.allow_tf32 = True  # as XLA and cuDNN's LSTM do by default
    z_size, m = sizes["latent_size"], sizes["mixtures"]
    hidden, encoder_hidden = sizes["decoder_units"], sizes["encoder_units"]

    class Network(nn.Module):
        def __init__(self):
            super().__init__()
            self.encoder = nn.LSTM(5, encoder_hidden, batch_first=True, bidirectional=True)
            self.posterior = nn.Linear(2 * encoder_hidden, 2 * z_size)
            self.initial = nn.Linear(z_size, 2 * hidden)
            self.decoder = nn.LSTM(5 + z_size, hidden, batch_first=True)
            self.head = nn.Linear(hidden, 3 + 6 * m)

        def loss(self, x, length):
            packed = nn.utils.rnn.pack_padded_sequence(x, length.cpu(), True, False)
            _, (h, _) = self.encoder(packed)
            mean, log_variance = self.posterior(torch.cat([h[0], h[1]], -1)).chunk(2, -1)
            z = mean + torch.exp(log_variance / 2) * torch.randn_like(mean)
            kl = -0.5 * (1 + log_variance - mean**2 - log_variance.exp()).mean()
            h, c = torch.tanh(self.initial(z)).chunk(2, -1)
            start = torch.tensor([0, 0, 1, 0, 0], device=x.device, dtype=x.dtype)
            inputs = torch.cat([start.expand(len(x), 1, 5), x[:, :-1]], 1)
            inputs = torch.cat([inputs, z[:, None].expand(-1, x.shape[1], -1)], -1)
            features, _ = self.decoder(inputs, (h[None].contiguous(), c[None].contiguous()))
            return self.reconstruction(self.head(features), x) + 0.5 * torch.clamp(kl, min=0.2)

        def reconstruction(self, parameters, x):
            pen, pi, mx, my, sx, sy, r = torch.split(parameters, [3, m, m, m, m, m, m], -1)
            rho = torch.tanh(r).clamp(-0.9999, 0.9999)
            dx, dy = (x[..., :1] - mx) * torch.exp(-sx), (x[..., 1:2] - my) * torch.exp(-sy)
            rest = 1 - rho**2
            normal = -(dx**2 + dy**2 - 2 * rho * dx * dy) / (2 * rest)
            normal = normal - sx - sy - 0.5 * torch.log(rest) - np.log(2 * np.pi)
            density = torch.logsumexp(torch.log_softmax(pi, -1) + normal, -1).exp()
            offset = -torch.log(density + 1e-6) * (1 - x[..., 4])
            cross_entropy = -(x[..., 2:] * torch.log_softmax(pen, -1)).sum(-1)
            return (offset + cross_entropy).sum(1).mean() / steps

    torch.manual_seed(0)
    network = Network().to(device)
    optimizer = torch.optim.Adam(network.parameters(), 1e-3, eps=1e-8)

    def train(batches: list) -> None:
        for batch in batches:
            x = torch.from_numpy(batch["sequence"]).to(device)
            optimizer.zero_grad()
            network.loss(x, torch.from_numpy(batch["length"])).backward()
            nn.utils.clip_grad_value_(network.parameters(), 1.0)
            optimizer.step()
        if device == "cuda":
            torch.cuda.synchronize()

    @torch.no_grad()
    def draw(n: int) -> np.ndarray:
        """A loop in Python over an LSTMCell, a step at a time, without CUDA graphs."""
        cell = nn.LSTMCell(5 + z_size, hidden).to(device)
        for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh"):
            setattr(cell, name, getattr(network.decoder, f"{name}_l0"))
        z = torch.randn(n, z_size, device=device)
        h, c = torch.tanh(network.initial(z)).chunk(2, -1)
        x = torch.tensor([0.0, 0, 1, 0, 0], device=device).expand(n, 5)
        drawn, rows = [], torch.arange(n, device=device)
        for _ in range(steps):
            h, c = cell(torch.cat([x, z], -1), (h, c))
            pen, pi, *rest = torch.split(network.head(h), [3, m, m, m, m, m, m], -1)
            k = torch.multinomial(torch.softmax(pi / 0.5, -1), 1)[:, 0]
            p = torch.multinomial(torch.softmax(pen[:, :2] / 0.5, -1), 1)[:, 0]  # no end
            mx, my, sx, sy, r = (part[rows, k] for part in rest)
            a, b = torch.randn(2, n, device=device) * 0.5**0.5
            rho = torch.tanh(r)
            dx = mx + torch.exp(sx) * a
            dy = my + torch.exp(sy) * (rho * a + torch.sqrt(1 - rho**2) * b)
            x = torch.cat([torch.stack([dx, dy], -1), nn.functional.one_hot(p, 3).float()], -1)
            drawn.append(x)
        return torch.stack(drawn, 1).cpu().numpy()

    name = torch.cuda.get_device_name() if device == "cuda" else "CPU"
    return train, draw, f"PyTorch {torch.__version__} on {name}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tiny", action="store_true")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--steps", type=int, default=10, help="training steps a repeat")
    arguments = parser.parse_args()
    tiny = arguments.tiny
    sizes, length = (TINY, 12) if tiny else (DEFAULT, 250)
    repeats, size = (1, 5) if tiny else (arguments.repeats, 100)
    generator = np.random.default_rng(0)
    batches = [make_batch(size, length, generator) for _ in range(2 if tiny else arguments.steps)]
    sampled = (1, 4) if tiny else (1, 64, 1024)

    import jax

    times: dict[tuple[str, str], list[float]] = {}
    for name, dropout in (("ours", 0.1), ("ours, no dropout", 0.0)):
        ours = Ours(sizes, length, dropout)
        spent = rounds(lambda ours=ours: ours.train(batches), repeats)
        times[name, "training step"] = [s / len(batches) for s in spent]
    for n in sampled:
        drawn = ours.draw(n)
        if drawn[..., 4].any():
            raise RuntimeError("expected drawings without an end")
        times["ours", f"generation of {n}"] = rounds(lambda n=n: ours.draw(n), repeats)
    facts = {"ours": f"JAX {jax.__version__} on {jax.devices()[0].device_kind}, XLA"}
    try:
        train, draw, facts["other"] = torch_network(sizes, length)
    except ImportError:
        facts["other"] = "PyTorch is not installed: ours alone"
    else:
        spent = rounds(lambda: train(batches), repeats)
        times["torch", "training step"] = [s / len(batches) for s in spent]
        for n in sampled:
            times["torch", f"generation of {n}"] = rounds(lambda n=n: draw(n), repeats)

    heading(
        f"GPU: SketchVAE with {ours.vae.count_params():,} parameters, {length} steps, training "
        f"batch {size}; cuDNN's LSTM has no recurrent dropout",
        **facts,
        seed=0,
        repeats=f"{repeats} of {len(batches)} training steps, of one batch of drawings; "
        "median (min–max)",
    )
    rows = []
    for (name, what), values in times.items():
        other = times.get(("torch", what))
        ratio = f"{np.median(other) / np.median(values):.2f} ×" if other else "-"
        rows.append([what, name, spread([v * 1e3 for v in values], " ms"), ratio])
    table(["what", "who", "time", "as fast as torch"], sorted(rows))


if __name__ == "__main__":
    main()
