"""NIST's Statistical Reference Datasets for nonlinear regression (https://www.itl.nist.gov/div898/strd/): data, starts, models.

Everything but the models is read from NIST's own files in tests/data/nist. A model is a function of the parameters b (from
b[0] on) and the predictor x, in ordinary Python on autograd_lite's functions.
"""

import math
import re
from dataclasses import dataclass
from pathlib import Path

import autograd_lite as ag

FOLDER = Path(__file__).parent / "data" / "nist"


@dataclass(frozen=True)
class Problem:
    name: str
    responses: list[float]
    predictors: list
    starts: tuple[list[float], list[float]]
    certified: list[float]
    residual_sum_of_squares: float

    def residuals(self, b):
        """Model minus response, for each observation."""
        model = MODELS[self.name]
        return [model(b, x) - y for x, y in zip(self.predictors, self.responses, strict=True)]


def load(name):
    """Read one file. Raises ValueError if it does not hold as many observations and parameters as it says."""
    lines = (FOLDER / f"{name}.dat").read_text().splitlines()

    def section(title):
        first, last = map(int, re.search(title + r"\s+\(lines\s+(\d+) to\s+(\d+)\)", "\n".join(lines)).groups())
        return lines[first - 1 : last]

    rows = [[float(word) for word in line.split()[2:]] for line in section("Starting Values")]
    data = [[float(word) for word in line.split()] for line in section("Data ")]
    footer = dict(re.findall(r"^(Residual Sum of Squares|Number of Observations):\s+(\S+)$", "\n".join(lines), re.MULTILINE))
    if len(data) != int(footer["Number of Observations"]) or any(len(row) != 4 for row in rows):
        raise ValueError(f"{name}: {len(data)} observations, {footer['Number of Observations']} announced")
    first, second, certified, _ = map(list, zip(*rows, strict=True))
    responses = [math.log(row[0]) if name == "Nelson" else row[0] for row in data]
    predictors = [row[1] if len(row) == 2 else tuple(row[1:]) for row in data]
    return Problem(name, responses, predictors, (first, second), certified, float(footer["Residual Sum of Squares"]))


def chwirut(b, x):
    return ag.exp(-b[0] * x) / (b[1] + b[2] * x)


def danwood(b, x):
    return b[0] * x ** b[1]


def enso(b, x):
    def wave(cosine, sine, period):
        angle = 2 * math.pi * x / period
        return cosine * ag.cos(angle) + sine * ag.sin(angle)

    return b[0] + wave(b[1], b[2], 12.0) + wave(b[4], b[5], b[3]) + wave(b[7], b[8], b[6])


def gauss(b, x):
    def peak(height, center, width):
        return height * ag.exp(-((x - center) ** 2) / width**2)

    return b[0] * ag.exp(-b[1] * x) + peak(*b[2:5]) + peak(*b[5:8])


def hahn1(b, x):
    return (b[0] + b[1] * x + b[2] * x**2 + b[3] * x**3) / (1 + b[4] * x + b[5] * x**2 + b[6] * x**3)


def kirby2(b, x):
    return (b[0] + b[1] * x + b[2] * x**2) / (1 + b[3] * x + b[4] * x**2)


def lanczos(b, x):
    return b[0] * ag.exp(-b[1] * x) + b[2] * ag.exp(-b[3] * x) + b[4] * ag.exp(-b[5] * x)


def mgh17(b, x):
    return b[0] + b[1] * ag.exp(-x * b[3]) + b[2] * ag.exp(-x * b[4])


def misra1a(b, x):
    return b[0] * (1 - ag.exp(-b[1] * x))


def misra1b(b, x):
    return b[0] * (1 - (1 + b[1] * x / 2) ** -2)


def misra1c(b, x):
    return b[0] * (1 - (1 + 2 * b[1] * x) ** -0.5)


def misra1d(b, x):
    return b[0] * b[1] * x * (1 + b[1] * x) ** -1


def nelson(b, x):
    return b[0] - b[1] * x[0] * ag.exp(-b[2] * x[1])


def roszman1(b, x):
    return b[0] - b[1] * x - ag.arctan(b[2] / (x - b[3])) / math.pi


MODELS = {
    "Chwirut1": chwirut,
    "Chwirut2": chwirut,
    "DanWood": danwood,
    "ENSO": enso,
    "Gauss1": gauss,
    "Gauss2": gauss,
    "Gauss3": gauss,
    "Hahn1": hahn1,
    "Kirby2": kirby2,
    "Lanczos1": lanczos,
    "Lanczos2": lanczos,
    "Lanczos3": lanczos,
    "MGH17": mgh17,
    "Misra1a": misra1a,
    "Misra1b": misra1b,
    "Misra1c": misra1c,
    "Misra1d": misra1d,
    "Nelson": nelson,
    "Roszman1": roszman1,
}
