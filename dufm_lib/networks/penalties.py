"""What is charged: the features and the head (UFM-style), or every parameter (standard weight decay)."""

from __future__ import annotations

import torch

from dufm_lib._arguments import nonnegative_float, one_of, real_tensor, shown
from dufm_lib.networks.classifier import Classifier

REGULARIZATIONS = ("ufm", "standard")


def penalty(
    network: Classifier,
    features: torch.Tensor,
    regularization: str,
    weight_decay: float | tuple[float, float],
) -> torch.Tensor:
    """What is added to the cross-entropy.

        "ufm":       lambda_H/2 ||H||_F^2 + lambda_W/2 sum_l ||W_l||_F^2     nothing on the feature map itself
        "standard":  lambda/2 ||theta||^2                                    every parameter, biases too

    Args:
        network: the classifier.
        features: (N, d), the features H of the whole training set.
        regularization: "ufm" or "standard".
        weight_decay: lambda; for "ufm" the pair (lambda_H, lambda_W), or one number for both.

    Raises:
        ValueError: a bad argument, by name.

    Source: Garrod & Keating (2025), section 5.
    """
    if not isinstance(network, Classifier):
        raise ValueError(f"network must be a Classifier, got {shown(network)}")
    features = real_tensor("features", features, "N", network.weights[-1].shape[1])
    decay_features, decay_weights = split_decays(regularization, weight_decay)
    if regularization == "ufm":
        squares = sum(weight.square().sum() for weight in network.weights)
        return (decay_features * features.square().sum() + decay_weights * squares) / 2
    return decay_weights / 2 * sum(parameter.square().sum() for parameter in network.parameters())


def split_decays(regularization: str, weight_decay: float | tuple[float, float]) -> tuple[float, float]:
    """(lambda_H, lambda of the weights); lambda_H is 0 for standard regularization."""
    one_of("regularization", regularization, REGULARIZATIONS)
    if regularization == "standard":
        if isinstance(weight_decay, (tuple, list)):
            raise ValueError(
                f"weight_decay must be one number for regularization 'standard', got {shown(weight_decay)}"
            )
        return 0.0, nonnegative_float("weight_decay", weight_decay)
    both = list(weight_decay) if isinstance(weight_decay, (tuple, list)) else [weight_decay] * 2
    if len(both) != 2:
        raise ValueError(f"weight_decay must be one number or (lambda_H, lambda_W), got {shown(weight_decay)}")
    return nonnegative_float("weight_decay", both[0]), nonnegative_float("weight_decay", both[1])
