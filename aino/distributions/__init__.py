"""Distributions of probability: ``torch.distributions``' names."""

from aino.distributions import constraints as constraints
from aino.distributions.bernoulli import Bernoulli
from aino.distributions.beta import Beta
from aino.distributions.binomial import Binomial
from aino.distributions.categorical import Categorical
from aino.distributions.cauchy import Cauchy
from aino.distributions.chi2 import Chi2
from aino.distributions.constraint_registry import biject_to, transform_to
from aino.distributions.continuous_bernoulli import ContinuousBernoulli
from aino.distributions.dirichlet import Dirichlet
from aino.distributions.distribution import Distribution
from aino.distributions.exp_family import ExponentialFamily
from aino.distributions.exponential import Exponential
from aino.distributions.fishersnedecor import FisherSnedecor
from aino.distributions.gamma import Gamma
from aino.distributions.generalized_pareto import GeneralizedPareto
from aino.distributions.geometric import Geometric
from aino.distributions.gumbel import Gumbel
from aino.distributions.half_cauchy import HalfCauchy
from aino.distributions.half_normal import HalfNormal
from aino.distributions.independent import Independent
from aino.distributions.inverse_gamma import InverseGamma
from aino.distributions.kl import kl_divergence, register_kl
from aino.distributions.kumaraswamy import Kumaraswamy
from aino.distributions.laplace import Laplace
from aino.distributions.lkj_cholesky import LKJCholesky
from aino.distributions.log_normal import LogNormal
from aino.distributions.logistic_normal import LogisticNormal
from aino.distributions.lowrank_multivariate_normal import LowRankMultivariateNormal
from aino.distributions.mixture_same_family import MixtureSameFamily
from aino.distributions.multinomial import Multinomial
from aino.distributions.multivariate_normal import MultivariateNormal
from aino.distributions.negative_binomial import NegativeBinomial
from aino.distributions.normal import Normal
from aino.distributions.one_hot_categorical import (
    OneHotCategorical,
    OneHotCategoricalStraightThrough,
)
from aino.distributions.pareto import Pareto
from aino.distributions.poisson import Poisson
from aino.distributions.relaxed_bernoulli import RelaxedBernoulli
from aino.distributions.relaxed_categorical import RelaxedOneHotCategorical
from aino.distributions.studentT import StudentT
from aino.distributions.transformed_distribution import TransformedDistribution
from aino.distributions.transforms import (
    AbsTransform,
    AffineTransform,
    CatTransform,
    ComposeTransform,
    CorrCholeskyTransform,
    CumulativeDistributionTransform,
    ExpTransform,
    IndependentTransform,
    LowerCholeskyTransform,
    PositiveDefiniteTransform,
    PowerTransform,
    ReshapeTransform,
    SigmoidTransform,
    SoftmaxTransform,
    SoftplusTransform,
    StackTransform,
    StickBreakingTransform,
    TanhTransform,
    Transform,
    identity_transform,
)
from aino.distributions.uniform import Uniform
from aino.distributions.von_mises import VonMises
from aino.distributions.weibull import Weibull
from aino.distributions.wishart import Wishart

__all__ = [
    "AbsTransform", "AffineTransform", "Bernoulli", "Beta", "biject_to", "Binomial",
    "Categorical", "CatTransform", "Cauchy", "Chi2", "ComposeTransform", "ContinuousBernoulli",
    "CorrCholeskyTransform", "CumulativeDistributionTransform", "Dirichlet", "Distribution",
    "Exponential", "ExponentialFamily", "ExpTransform", "FisherSnedecor", "Gamma",
    "GeneralizedPareto", "Geometric", "Gumbel", "HalfCauchy", "HalfNormal",
    "identity_transform", "Independent", "IndependentTransform", "InverseGamma",
    "kl_divergence", "Kumaraswamy", "Laplace", "LKJCholesky", "LogisticNormal", "LogNormal",
    "LowerCholeskyTransform", "LowRankMultivariateNormal", "MixtureSameFamily", "Multinomial",
    "MultivariateNormal", "NegativeBinomial", "Normal", "OneHotCategorical",
    "OneHotCategoricalStraightThrough", "Pareto", "Poisson", "PositiveDefiniteTransform",
    "PowerTransform", "register_kl", "RelaxedBernoulli", "RelaxedOneHotCategorical",
    "ReshapeTransform", "SigmoidTransform", "SoftmaxTransform", "SoftplusTransform",
    "StackTransform", "StickBreakingTransform", "StudentT", "TanhTransform", "Transform",
    "transform_to", "TransformedDistribution", "Uniform", "VonMises", "Weibull", "Wishart",
]  # fmt: skip
