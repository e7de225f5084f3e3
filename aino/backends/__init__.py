"""``torch.backends``: settings of other machines' libraries, which change nothing; and of C."""

from aino.backends import cpu, cuda, cudnn, mkl, mkldnn, mps, native, nnpack, openmp, opt_einsum
