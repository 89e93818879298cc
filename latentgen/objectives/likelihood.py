"""The objectives without a second network: likelihood, and likelihood on the model's own inputs."""

from latentgen.sequence_model import SequenceModel
from latentgen.training.schedules import Schedule


def maximum_likelihood(model: SequenceModel) -> SequenceModel:
    """Each step reads the true one before it, and nothing is added to the model's own loss."""
    model.sampling, model.objective = 0.0, None
    return model


def scheduled_sampling(model: SequenceModel, share: float | Schedule) -> SequenceModel:
    """Each step reads the model's own sample in place of the truth for a share of the steps.

    (Bengio et al. 2015, arXiv 1506.03099.) Improper: what it is minimised by is not the data's
    distribution (Huszár 2015, arXiv 1511.05101); docs/objectives.md shows it exactly.

    Args:
        share: of own samples, from 0 to 1, or a schedule over steps: LinearRamp, InverseSigmoid,
            ExponentialApproach(0, 1, rate).
    """
    model.sampling = share
    return model
