"""Attacks by keyword. Adding one is a file in this folder and a line in this table."""

from __future__ import annotations

from simulations.fl.attacks.alternating_min_poisoning import AlternatingMinPoisoning
from simulations.fl.attacks.backdoor_trigger import BackdoorTrigger
from simulations.fl.attacks.base import Attack
from simulations.fl.attacks.boosted_scaling import BoostedScaling
from simulations.fl.attacks.byzantine_perturbation import ByzantinePerturbation
from simulations.fl.attacks.gaussian_noise import GaussianNoise
from simulations.fl.attacks.gradient_scaling import GradientScaling
from simulations.fl.attacks.inner_product_manipulation import InnerProductManipulation
from simulations.fl.attacks.label_flipping import LabelFlipping
from simulations.fl.attacks.model_poisoning import ModelPoisoning
from simulations.fl.attacks.targeted_label_flipping import TargetedLabelFlipping
from simulations.fl.attacks.token_replacement import TokenReplacement

ATTACKS: dict[str, type[Attack]] = {
    "label_flipping": LabelFlipping,
    "targeted_label_flipping": TargetedLabelFlipping,
    "gaussian_noise": GaussianNoise,
    "backdoor_trigger": BackdoorTrigger,
    "token_replacement": TokenReplacement,
    "model_poisoning": ModelPoisoning,
    "gradient_scaling": GradientScaling,
    "boosted_scaling": BoostedScaling,
    "byzantine_perturbation": ByzantinePerturbation,
    "inner_product_manipulation": InnerProductManipulation,
    "alternating_min_poisoning": AlternatingMinPoisoning,
}
