"""What PyTorch has and AINO leaves out, and why; ``python -m aino coverage`` prints it."""

from __future__ import annotations

import textwrap

#: PyTorch's namespaces, and how many public names each has in version 2.13.
NAMES = {
    "torch": 902,
    "torch.Tensor": 604,
    "torch.linalg": 42,
    "torch.fft": 19,
    "torch.special": 56,
    "torch.signal.windows": 11,
    "torch.masked": 23,
    "torch.nn": 169,
    "torch.nn.functional": 144,
    "torch.nn.init": 26,
    "torch.nn.utils": 18,
    "torch.optim": 17,
    "torch.optim.lr_scheduler": 16,
    "torch.optim.swa_utils": 7,
    "torch.autograd": 16,
    "torch.autograd.functional": 6,
    "torch.autograd.graph": 12,
    "torch.distributions": 67,
    "torch.func": 15,
    "torch.utils.data": 29,
    "torch.utils.checkpoint": 17,
    "torch.random": 7,
    "torch.testing": 4,
    "torch.amp": 5,
    "torch.accelerator": 23,
}

#: reason -> namespace -> the names that AINO leaves out for it.
LEFT_OUT: dict[str, dict[str, str]] = {
    "not there yet": {
        "torch": (
            "AVG SUM batch_norm_backward_elemt batch_norm_backward_reduce batch_norm_elemt "
            "batch_norm_gather_stats batch_norm_gather_stats_with_counts batch_norm_stats "
            "choose_qparams_optimized cond native_norm thread_safe_generator "
        ),
        "torch.Tensor": ("index "),
        "torch.fft": ("Tensor "),
        "torch.nn.functional": ("Tensor assert_int_or_pair "),
        "torch.autograd": ("enforce_grad_layout_policy set_multithreading_enabled "),
        "torch.autograd.graph": ("set_warn_on_accumulate_grad_stream_mismatch "),
        "torch.func": ("rearrange "),
        "torch.utils.checkpoint": (
            "CheckpointFunction CheckpointPolicy GraphExecGroup SAC_IGNORED_OPS "
            "SelectiveCheckpointContext check_backward_validity "
            "create_selective_checkpoint_contexts detach_variable "
            "set_checkpoint_debug_enabled set_checkpoint_early_stop "
        ),
        "torch.random": ("thread_safe_generator "),
        "torch.testing": ("FileCheck "),
        "torch.accelerator": ("get_device_capability "),
    },
    "sparse layouts": {
        "torch": (
            "ccol_indices_copy col_indices_copy crow_indices_copy dsmm hsmm hspmm "
            "indices_copy resize_as_sparse_ row_indices_copy saddmm smm sparse_bsc_tensor "
            "sparse_bsr_tensor sparse_compressed_tensor sparse_coo_tensor sparse_csc_tensor "
            "sparse_csr_tensor spmm sspaddmm values_copy "
        ),
        "torch.Tensor": (
            "ccol_indices coalesce col_indices crow_indices dense_dim indices is_coalesced "
            "resize_as_sparse_ row_indices smm sparse_dim sparse_mask sparse_resize_ "
            "sparse_resize_and_clear_ sspaddmm to_dense to_padded_tensor to_sparse "
            "to_sparse_bsc to_sparse_bsr to_sparse_coo to_sparse_csc to_sparse_csr values "
        ),
    },
    "quantized numbers": {
        "torch": (
            "dequantize empty_quantized fake_quantize_per_channel_affine "
            "fake_quantize_per_tensor_affine fbgemm_linear_fp16_weight "
            "fbgemm_linear_fp16_weight_fp32_activation fbgemm_linear_int8_weight "
            "fbgemm_linear_int8_weight_fp32_activation fbgemm_linear_quantize_weight "
            "fbgemm_pack_gemm_matrix_fp16 fbgemm_pack_quantized_matrix "
            "fused_moving_avg_obs_fake_quant int_repr q_per_channel_axis "
            "q_per_channel_scales q_per_channel_zero_points q_scale q_zero_point qint32 "
            "qint8 qscheme quantize_per_channel quantize_per_tensor "
            "quantize_per_tensor_dynamic quantized_batch_norm quantized_gru_cell "
            "quantized_lstm_cell quantized_max_pool1d quantized_max_pool2d "
            "quantized_max_pool3d quantized_rnn_relu_cell quantized_rnn_tanh_cell quint2x4 "
            "quint4x2 quint8 "
        ),
        "torch.Tensor": (
            "dequantize int_repr q_per_channel_axis q_per_channel_scales "
            "q_per_channel_zero_points q_scale q_zero_point qscheme "
        ),
    },
    "number formats that NumPy does not have": {
        "torch": (
            "bit bits16 bits1x8 bits2x4 bits4x2 bits8 chalf complex32 "
            "float4_e2m1fn_x2 float8_e4m3fn float8_e4m3fnuz float8_e5m2 float8_e5m2fnuz "
            "float8_e8m0fnu int1 int2 int3 int4 int5 int6 int7 uint1 uint2 uint3 uint4 "
            "uint5 uint6 uint7 "
        ),
        "torch.Tensor": ("bfloat16 chalf "),
    },
    "devices and libraries of PyTorch's": {
        "torch": (
            "Event Graph Stream StreamObjType cudnn_affine_grid_generator "
            "cudnn_batch_norm cudnn_convolution cudnn_convolution_add_relu "
            "cudnn_convolution_relu cudnn_convolution_transpose cudnn_grid_sampler "
            "cudnn_is_acceptable get_autocast_gpu_dtype get_autocast_ipu_dtype "
            "get_autocast_xla_dtype has_lapack has_mkl has_openmp has_spectral "
            "is_autocast_ipu_enabled is_autocast_xla_enabled is_distributed "
            "is_vulkan_available miopen_batch_norm miopen_convolution "
            "miopen_convolution_add_relu miopen_convolution_relu "
            "miopen_convolution_transpose miopen_ctc_loss miopen_depthwise_convolution "
            "miopen_rnn mkldnn_adaptive_avg_pool2d mkldnn_convolution "
            "mkldnn_linear_backward_weights mkldnn_max_pool2d mkldnn_max_pool3d "
            "mkldnn_rnn_layer set_autocast_gpu_dtype set_autocast_ipu_dtype "
            "set_autocast_ipu_enabled set_autocast_xla_dtype set_autocast_xla_enabled "
        ),
        "torch.Tensor": ("is_distributed is_maia record_stream share_memory_ to_mkldnn "),
        "torch.autograd.graph": (
            "region_activation_memory_budget set_override_stale_capture_stream "
        ),
        "torch.utils.checkpoint": ("DefaultDeviceType get_device_states set_device_states "),
        "torch.accelerator": (
            "Graph empty_host_cache get_memory_info max_memory_allocated "
            "max_memory_reserved memory_stats reset_accumulated_memory_stats "
            "reset_peak_memory_stats "
        ),
    },
    "symbolic shapes": {
        "torch": (
            "SymBool SymBoolType SymFloat SymInt SymIntType sym_constrain_range "
            "sym_constrain_range_for_size sym_float sym_fresh_size sym_int sym_ite sym_max "
            "sym_min sym_not sym_sqrt sym_sum "
        ),
    },
    "automatic mixed precision's insides": {
        "torch": (
            "autocast_decrement_nesting autocast_increment_nesting "
            "clear_autocast_cache get_autocast_cpu_dtype get_autocast_dtype "
            "is_autocast_cache_enabled is_autocast_cpu_enabled "
            "set_autocast_cache_enabled set_autocast_cpu_dtype set_autocast_cpu_enabled "
            "set_autocast_dtype set_autocast_enabled "
        ),
    },
    "storages: a tensor's memory is its array": {
        "torch": (
            "BoolStorage ByteStorage CharStorage DeserializationStorageContext "
            "DoubleStorage FloatStorage IntStorage LongStorage SerializationStorageContext "
            "ShortStorage is_storage "
        ),
    },
    "subclasses and dispatch in C++": {
        "torch": (
            "DisableTorchFunction DisableTorchFunctionSubclass DispatchKey DispatchKeySet "
            "ExcludeDispatchKeyGuard "
        ),
        "torch.Tensor": ("as_subclass module_load "),
        "torch.nn.functional": (
            "BroadcastingList1 BroadcastingList2 BroadcastingList3 boolean_dispatch "
            "handle_torch_function has_torch_function has_torch_function_unary "
            "has_torch_function_variadic "
        ),
        "torch.func": ("debug_unwrap "),
    },
    "retired by PyTorch itself": {
        "torch.Tensor": ("eig lstsq reinforce solve symeig volatile "),
        "torch.autograd": ("NestedIOFunction "),
        "torch.testing": ("assert_allclose "),
    },
    "TorchScript and the insides of PyTorch": {
        "torch.optim": ("swap_in_optimizer_params_and_state "),
        "torch": (
            "AcceleratorError AggregationType AliasDb AnyType Argument ArgumentSpec "
            "AwaitType BenchmarkConfig BenchmarkExecutionStats Block BoolType BufferDict "
            "CallStack Capsule ClassType Code CompilationUnit CompleteArgumentSpec "
            "ComplexType ConcreteModuleType ConcreteModuleTypeBuilder DeepCopyMemoTable "
            "DeviceObjType DictType EnumType ErrorReport ExecutionPlan FatalError FileCheck "
            "FloatType FunctionSchema Future FutureType Gradient GraphExecutorState "
            "IODescriptor InferredType IntType InterfaceType JITException ListType "
            "LiteScriptModule LockingLogger ModuleDict Node NoneType NoopLogger NumberType "
            "OperatorInfo OptionalType ParameterDict PyObjectType PyTorchFileReader "
            "PyTorchFileWriter RRefType ScriptClass ScriptClassFunction ScriptDict "
            "ScriptDictIterator ScriptDictKeyIterator ScriptFunction ScriptList "
            "ScriptListIterator ScriptMethod ScriptModule ScriptModuleSerializer "
            "ScriptObject ScriptObjectProperty StaticModule StringType Tag TensorType "
            "ThroughputBenchmark TracingState TupleType Type UnionType Use Value fork "
            "import_ir_module import_ir_module_from_buffer init_num_threads "
            "merge_type_from_type_comment parse_ir parse_schema parse_type_comment "
            "unify_type_list wait "
        ),
    },
}


#: What ``vmap`` computes sample by sample, with a warning: all else is computed at once.
LOOPED = (
    "bags_of", "hash_tensor", "histc", "histogram_cells", "histogram_edges", "isin", "ldl_solution",
    "nonzero_static", "searchsorted", "segments", "the derivative of scatter_product", "winners_of",
)  # fmt: skip


def left_out(space: str) -> dict[str, list[str]]:
    """Return the names of a namespace that AINO leaves out, by reason.

    >>> from aino.coverage import left_out
    >>> "to_mkldnn" in left_out("torch.Tensor")["devices and libraries of PyTorch's"]
    True
    """
    return {reason: spaces[space].split() for reason, spaces in LEFT_OUT.items() if space in spaces}


def table() -> str:
    """Return a line for each namespace: how many of PyTorch's names AINO has."""
    lines = [f"{'namespace':26} {'PyTorch':>8} {'AINO':>6}  left out on purpose   not yet"]
    for space, count in NAMES.items():
        found = left_out(space)
        missing = sum(map(len, found.values()))
        later = len(found.get("not there yet", ()))
        lines.append(f"{space:26} {count:8} {count - missing:6}  {missing - later:19}   {later:7}")
    return "\n".join(lines)


def report() -> str:
    """Return the table, and under it every name that is left out with its reason."""
    parts = [table()]
    for reason, spaces in LEFT_OUT.items():
        parts.append(f"\n{reason}:")
        parts += [_listed(space, left_out(space)[reason]) for space in spaces]
    parts.append("\nwhat vmap computes sample by sample:")
    parts.append(_listed("aino.vmap", [f"{name}," for name in LOOPED[:-1]] + [LOOPED[-1]]))
    return "\n".join(parts)


def _listed(space: str, names: list[str]) -> str:
    return textwrap.fill(
        f"{space}: {' '.join(names)}", 98, break_long_words=False,
        initial_indent="  ", subsequent_indent="    ",
    )  # fmt: skip
