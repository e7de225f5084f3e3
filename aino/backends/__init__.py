"""``torch.backends``: settings of other machines' libraries, which change nothing on the CPU."""

from aino.backends import cpu, cuda, cudnn, mkl, mkldnn, mps, nnpack, openmp, opt_einsum
