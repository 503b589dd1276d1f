"""The faults that `inject` puts into the sources.

Each has an identifier (its area first), a file, the `text` that is replaced, the text that stands there instead, a
pattern of the tests that should find the fault (as for `swift test --filter`), and a line that describes the error. The
text is an expression, or statements with kind="statement"; text and replacement have to compile in this place, and have
the same type. If a text occurs more than once, occurrence=(2, 3) means the second of three. A fault that only some
processors show needs a flag of these processors (as in /proc/cpuinfo). Faults beginning with `named-` once passed the
whole suite.
"""
import dataclasses
import posixpath


@dataclasses.dataclass(frozen=True)
class Fault:
    id: str
    file: str
    text: str
    mutated: str
    tests: str
    says: str
    kind: str = "expression"
    occurrence: tuple = (1, 1)
    needs: str = ""


FAULTS = []


def area(prefix, folder):
    """A function that adds faults of files in a folder."""
    def add(name, file, text, mutated, tests, says, **more):
        path = posixpath.normpath(f"{folder}/{file}")
        FAULTS.append(Fault(f"{prefix}-{name}", path, text, mutated, tests, says, **more))
    return add


# Kernels' drivers.

kernels = area("kernels", "Sources/CKernels/drivers")
named_kernels = area("named-kernels", "Sources/CKernels/drivers")
runtime = area("kernels", "Sources/CKernels/runtime")

named_kernels(
    "winograd-chunk-overwrites", "convolution/winograd/backward_weights.c",
    "first_chunk && frequency / call->tiles->frequencies < own",
    "frequency / call->tiles->frequencies < own", "PlanTests", "a second chunk of a task overwrites dw")
named_kernels(
    "winograd-chunk-clears-slopes", "convolution/winograd/backward.c",
    "slope_part_of(&view, group, first_chunk)", "slope_part_of(&view, group, true)", "PlanTests",
    "a second chunk of a task clears the slopes' gradients")
named_kernels(
    "group-in-mid-row", "convolution/direct/backward_data.c",
    "(first + i) % grid->columns", "i % grid->columns", "PlanTests",
    "a group of a strided image's pixels that begins in mid-row is taken to begin with a row")
named_kernels(
    "dense-bias-mode", "convolution/into_dense/forward.c", "ck_serial(add_dense_bias, &call)",
    "add_dense_bias(&call, 0, 0)", "FloatModeTests", "the bias is added in the caller's floating-point mode")
named_kernels(
    "dense-bias-gradient-mode", "convolution/into_dense/backward.c", "ck_serial(sum_dense_bias, &call)",
    "sum_dense_bias(&call, 0, 0)", "FloatModeTests",
    "the bias's gradient is summed in the caller's floating-point mode")

kernels(
    "sums-mode", "elementwise/reduction.c", "ck_serial(add_sums, &call)", "add_sums(&call, 0, 0)", "FloatModeTests",
    "parts of a sum of squares are added in the caller's floating-point mode")
kernels(
    "loss-mode", "loss/softmax_cross_entropy.c",
    "ck_serial(add_results, &call)", "add_results(&call, 0, 0)", "FloatModeTests",
    "parts of a loss are added in the caller's floating-point mode")
runtime(
    "mode-stays", "threads.c", "leave_default_float_mode(mode)", "(void)0", "FloatModeTests",
    "a kernel on one thread leaves its caller in another floating-point mode", occurrence=(1, 4))
runtime(
    "workers-instructions", "threads.c", "ck_own_kernels = kernels", "ck_own_kernels", "RuntimeTests",
    "workers don't take their caller's instruction set", occurrence=(1, 2))
runtime(
    "stage-begins-early", "teams.c", "atomic_load_explicit(&progress->finished, memory_order_acquire) < begin", "false",
    "ConvolutionChainTests", "a stage begins before the tasks of the stage before are finished", occurrence=(1, 2))
runtime(
    "helpers-instructions", "teams.c", "team->kernels", "kernels_before", "RuntimeTests",
    "helpers keep their own instruction set", occurrence=(2, 2))
kernels(
    "chain-last-piece", "convolution/chain/chain.h", "length * (index + 1) / count",
    "length * index / count + length / count", "ConvolutionChainTests",
    "pieces of a layer leave the rest of a division out")
kernels(
    "bias-of-first-panel", "shared/gemm.c", "has_values ? p->initial + column : p->initial", "p->initial",
    "CKernelsTests.ConvolutionTests|PlanTests",
    "every panel of outputs starts from the first panel's bias")
kernels(
    "weights-overwritten", "convolution/direct/backward_weights.c", "first ? ck_gemm_zeros : NULL", "ck_gemm_zeros",
    "CKernelsTests.ConvolutionTests|PlanTests", "each step over the images overwrites the weights' gradients")
kernels(
    "sum-last-part", "shared/parts.h", "p < part_count", "p < part_count - 1",
    "CKernelsTests.ConvolutionTests|PlanTests", "the last of a gradient's parts is left out of the sum")
kernels(
    "slopes-share-a-part", "shared/slopes.c", "parts->per_position ? group : group * parts->bands + band", "group",
    "ActivationTests|CKernelsTests.ConvolutionTests", "bands of an image overwrite each other's gradients of slopes")
kernels(
    "sum-of-pieces", "shared/gemm.c", "initial = NULL", "initial",
    "DenseTests|CKernelsTests.ConvolutionTests|PlanTests",
    "each piece of a long sum starts anew")
kernels(
    "winograd-phases-overwrite", "convolution/winograd/forward.c",
    "i < tiles->outputs && j < tiles->outputs", "i < tiles->outputs",
    "WinogradTests", "a phase of a strided convolution overwrites another's products")
kernels(
    "winograd-bias-overwritten", "convolution/winograd/backward_weights.c", "image == first_image", "true",
    "WinogradTests", "each image overwrites its group's gradient of the bias")
kernels(
    "winograd-stages-overwrite", "convolution/winograd/backward_stages.c", "chunk == 0", "true",
    "WinogradTests|PlanTests", "in stages, a second chunk overwrites dw", occurrence=(2, 2))
kernels(
    "winograd-stages-slopes", "convolution/winograd/backward_stages.c", "chunk == 0", "true",
    "WinogradTests|PlanTests", "in stages, a second chunk clears the slopes' gradients", occurrence=(1, 2))
kernels(
    "winograd-stages-segments", "convolution/winograd/backward_stages.c",
    "tiles_of(call, segments.first, segment) * plan->gradients.row", "0", "WinogradTests",
    "in stages, each segment of a chunk takes the place of the first")
kernels(
    "winograd-stages-places", "convolution/winograd/backward_stages.c", "place * chunk_frequencies(&call->plan)", "0",
    "WinogradTests", "in stages, all chunks take the place of the first")
kernels(
    "winograd-stages-pieces", "convolution/winograd/backward_stages.c",
    "slice_at(call, place, slice) + tile * plan->slice.row", "slice_at(call, place, slice)", "WinogradTests|PlanTests",
    "in stages, each piece of a chunk takes the place of the first")
kernels(
    "winograd-stages-together", "convolution/winograd/backward_stages.c",
    "stages->cut.together ? stages->call->plan.slices : slice + 1", "slice + 1", "WinogradTests|PlanTests",
    "in stages, a task of all slices computes the first slice only")
kernels(
    "winograd-blocks-segments", "convolution/winograd/forward.c", "call->plan.blocks = blocks",
    "call->plan.blocks = plan.blocks", "WinogradTests|PlanTests", "smaller blocks of tiles leave out the last images")
kernels(
    "winograd-stages-products", "convolution/winograd/backward_stages.c", "divide_up(call->plan.slices, own)",
    "call->plan.slices / own", "WinogradTests|PlanTests", "in stages, the sums of the last slices are left out")
kernels(
    "choose-backward", "convolution/choose.c", "pass == CK_FORWARD ? 1 : 2", "1", "WinogradTests",
    "the cost of a direct backward pass is that of its forward pass")
kernels(
    "chain-borders", "convolution/chain/backward.c", "memcmp(next, &before, sizeof before) != 0", "false",
    "ConvolutionChainTests", "the borders of a chain's plane of gradients are not cleared")
kernels(
    "chain-odd-channel", "convolution/chain/backward.c",
    "2 * pair + member * min_of(2, channels - pair) + channel - pair", "2 * pair + member * 2 + channel - pair",
    "ConvolutionChainTests", "the last of an odd number of channels is folded from the wrong place",
    needs="avx512f")
kernels(
    "chain-strided-band", "convolution/chain/backward.c", "(first * c->stride_h + ky) * windows->in_run",
    "(first + ky) * windows->in_run", "ConvolutionChainTests|PlanTests",
    "the second band of a strided layer reads the wrong rows")
kernels(
    "pair-chunk-overwrites", "convolution/into_dense/forward.c", "pixel == first && filter == 0", "pixel == first",
    "ConvolutionDenseTests|PlanTests", "a second chunk of filters overwrites the first's products")
kernels(
    "pair-images-overwrite", "convolution/into_dense/backward.c", "first && image == 0", "first",
    "ConvolutionDenseTests|PlanTests", "a second group of images overwrites the convolution's gradients")
kernels(
    "pair-dense-images-overwrite", "convolution/into_dense/backward.c", "image == 0", "true",
    "ConvolutionDenseTests|PlanTests", "a second group of images overwrites the dense weights' gradients",
    occurrence=(2, 3))
kernels(
    "dense-bias-in-each-part", "dense/forward.c", "part == 0 && call->bias != NULL", "call->bias != NULL", "DenseTests",
    "every part of the inputs adds the bias")
kernels(
    "dense-images-overwrite", "dense/backward_weights.c",
    "row == 0 ? ck_gemm_zeros : NULL", "ck_gemm_zeros", "DenseTests",
    "a second group of images overwrites the weights' gradients")
kernels(
    "dense-not-accumulated", "dense/backward_data.c", "call->accumulate", "false", "DenseTests",
    "dz is overwritten where it should be added to")
kernels(
    "pointwise-bias-overwritten", "convolution/pointwise/backward.c", "first == piece.first", "true", "PointwiseTests",
    "each block of pixels overwrites the bias's gradient", occurrence=(2, 2))
kernels(
    "pointwise-weights-overwritten", "convolution/pointwise/backward.c", "first == piece.first", "true",
    "PointwiseTests", "each block of pixels overwrites the weights' gradients", occurrence=(1, 2))
kernels(
    "pointwise-strips-lost", "convolution/pointwise/backward.c", "piece.first_panel = part * panels / cut->strips",
    "piece.first_panel = 0", "PointwiseTests", "each strip of the weights' gradient begins at the first column")
kernels(
    "pointwise-stretches-short", "convolution/pointwise/backward.c", "(stretch + 1) * blocks / cut->stretches",
    "stretch * blocks / cut->stretches + 1", "PointwiseTests", "a stretch of blocks is its first block alone")
kernels(
    "pointwise-rows-not-cleared", "convolution/pointwise/backward.c",
    "run->y + 1 == c->out_height ? c->height : (run->y + 1) * c->stride_h",
    "min_of((run->y + 1) * c->stride_h, c->height)", "PointwiseTests",
    "rows of pixels that nobody reads keep what their gradients' memory held")
kernels(
    "pointwise-moments", "convolution/pointwise/forward.c", "first % plan->part_pixels", "0", "NormalizationTests",
    "moments hold the last group of pixels alone")
kernels(
    "post-activation", "shared/post_ops.c", "post_ops->activation.member_count == 0", "true",
    "PointwiseTests|NormalizationTests", "an activation after a sum is left out")
kernels(
    "norm-joins-parts", "normalization/forward_training.c", "found.rows * off * off", "off * off", "NormalizationTests",
    "the distance of parts' means counts once instead of once a row")
kernels(
    "norm-unbiased", "normalization/forward_training.c",
    "call->unbiased_running_variance && call->sweep.rows > 1", "false",
    "NormalizationTests", "the running variance is the biased one always")
kernels(
    "norm-rest", "normalization/sweep.h", "blocks + (layout->rest_rows > 0)", "blocks", "NormalizationTests",
    "rows that fill no long row are left out")
kernels(
    "global-mean", "pooling/global_average.c", "(float)call->positions", "(float)(call->positions + 1)", "PoolingTests",
    "the gradient of a global mean is divided by one too many")
kernels(
    "velocity-of-first-block", "optimizer/update.c", "slot_from(call->slots.first, first)", "call->slots.first",
    "OptimizerTests", "every block of an update uses the first block's velocity")
kernels(
    "second-moment-of-first-block", "optimizer/update.c", "slot_from(call->slots.second, first)", "call->slots.second",
    "OptimizerTests", "every block of an update uses the first block's second moments")
kernels(
    "dropout-repeats", "elementwise/dropout.c", "call->first + (uint64_t)begin", "call->first", "DropoutTests",
    "the mask repeats in each block")
kernels(
    "place-in-part", "elementwise/reduction.c", "found < 0 ? -1 : first + found", "found", "ElementwiseTests",
    "the place of a number that isn't finite is counted from its part")
kernels(
    "ties", "loss/softmax_cross_entropy.c",
    "earlier == label", "true", "LossTests", "of equal logits, any counts as the largest")
kernels(
    "label-gradient", "loss/softmax_cross_entropy.c",
    "(float)(own_term * call->gradient_scale)", "(float)own_term", "LossTests",
    "the label's gradient is not scaled")
kernels(
    "held-row", "input/images.c", "down.fraction == 0 ? -1 : lower", "lower", "InputTests",
    "an image moved to the right alone repeats a row")
kernels(
    "slopes-of-first-block", "activation/activation.c", "first * block.slope_position", "0", "ActivationTests",
    "every block of positions reads the first block's slopes", occurrence=(1, 2))

# Graph and fusions.

graph = area("graph", "Sources/LinkedNet/Graph")
rewrite = area("graph", "Sources/LinkedNet/Compiler/Rewrites")
named_rewrite = area("named-graph", "Sources/LinkedNet/Compiler/Rewrites")

named_rewrite(
    "sum-host-readers", "FusedSums.swift", "uses.soleReader(of: host) != nil", "host != graph.output",
    "SumFusionTests|GeneratedNetworkTests|BranchGradientTests", "a sum is fused into a host that others read too")
named_rewrite(
    "taker-reads-every-pixel", "FusedSums.swift", "operation.kernel.readsEveryPixel", "true",
    "SumFusionTests|GeneratedNetworkTests|BranchGradientTests",
    "a gradient is left to a convolution that doesn't read every pixel")
named_rewrite(
    "chain-readers", "ConvolutionChains.swift", "uses.soleReader(of: input) != nil", "input != graph.output",
    "ConvolutionChainTests|GeneratedNetworkTests", "a chain hides a tensor that others read")
rewrite(
    "sum-host-is-output", "FusedSums.swift", "uses.isUsed(sum.output)", "true", "SumFusionTests|GeneratedNetworkTests",
    "a sum that nobody reads is fused, and a convolution takes its gradient along")
rewrite(
    "chain-shared-parameters", "ConvolutionChains.swift", "uses.areReadOnce(node.parameters)", "true",
    "ConvolutionChainTests|CustomLayerTests|GeneratedNetworkTests",
    "a chain takes a layer whose weights another shares")
rewrite(
    "dense-fusion-readers", "ConvolutionsIntoDense.swift", "uses.soleReader(of: source.output) != nil", "true",
    "ConvolutionDenseFusionTests|GeneratedNetworkTests",
    "a convolution that others read too is hidden in a dense layer")
rewrite(
    "dense-fusion-input", "ConvolutionsIntoDense.swift", "!uses.needsGradient(source.inputs[0])", "true",
    "ConvolutionDenseFusionTests|GeneratedNetworkTests",
    "a convolution whose input needs a gradient is fused with a dense layer, which gives none")
rewrite(
    "shared-normalization-readers", "SharedNormalizations.swift", "uses.soleReader(of: node.inputs[0]) != nil", "true",
    "NetworkGradientTests|GeneratedNetworkTests",
    "a convolution leaves its output's gradient to one BatchNorm although others read it")
rewrite(
    "shared-normalization-shortcut", "SharedNormalizations.swift", "convolution.addend == nil", "true",
    "GeneratedNetworkTests|BranchGradientTests",
    "a convolution that adds a shortcut leaves the shortcut without a gradient")
graph(
    "reads-output", "Operations/CustomOperation.swift", "operation.backwardReadsOutput", "false",
    "CustomLayerTests", "an operation gets no output that its backward pass reads")
graph(
    "kept-output", "StepBuilder.swift", "add(.value(node.output), .read)",
    "add(.value(node.inputs.first ?? node.output), .read)", "GeneratedNetworkTests|PlanDescriptionTests",
    "a step that reads its node's output reads the input")
graph(
    "shared-parameter", "GradientLedger.swift", "!writtenParameters.insert(parameter).inserted", "false", "SharedTests",
    "the last use of a shared parameter overwrites the gradients of the others")
graph(
    "repeated-input", "StepBuilder.swift", "ownGradients.insert(tensor).inserted", "true", "RepeatedInputTests",
    "the gradients of two inputs that are one tensor share memory")
graph(
    "first-writer", "GradientLedger.swift", "!writtenTensors.insert(tensor).inserted", "false",
    "BranchGradientTests|GeneratedNetworkTests", "each reader of a tensor overwrites the gradients of the others")
graph(
    "complete-from", "../Compiler/Plan.swift", "lastUses.lastIndex { $0 > step }",
    "lastUses.lastIndex { $0 > step + 2 }",
    "ParameterUpdaterTests", "parameters are updated while steps still read them")
graph(
    "reshape-keeps-activation", "GraphBuilder.swift", "shape == value.shape || shape.rank == 1", "true",
    "ExtremeShapeTests", "an image of another shape keeps an activation by channel")

# Layers and shapes.

layers = area("layers", "Sources/LinkedNet/Layers")
shapes = area("layers", "Sources/LinkedNet/Kernels")

layers(
    "conv-fan-out", "Conv2D.swift", "area * filters", "filters", "InitializerTests|Golden",
    "a convolution's initialiser takes its filters alone for its outputs")
layers(
    "glorot-limit", "Initializer.swift", "6 / (fanIn + fanOut)", "6 / fanIn", "InitializerTests",
    "Glorot's limit leaves out the outputs", occurrence=(2, 2))
layers(
    "truncated-deviation", "Initializer.swift", "sample * deviation / truncatedDeviation", "sample * deviation",
    "InitializerTests", "truncated normals have less than the wanted deviation")
layers(
    "not-truncated", "Initializer.swift", "abs(sample) > 2", "false", "InitializerTests", "normals are not truncated")
layers(
    "pool-stride", "Pooling.swift", "stride ?? size", "stride ?? 1", "ShapeInferenceTests|NetworkTests",
    "a maximum's default stride is 1", occurrence=(1, 2))
layers(
    "average-stride", "Pooling.swift", "stride ?? size", "stride ?? 1", "ShapeInferenceTests|NetworkTests",
    "an average's default stride is 1", occurrence=(2, 2))
layers(
    "linkage-sign", "Linkage.swift", "abs($0.derivative(z)) >= smallestGradient",
    "$0.derivative(z) >= smallestGradient",
    "LinkageTests", "members with a negative gradient count as flat")
layers(
    "linkage-scale", "Linkage.swift", "Double(outputScale) * Double(inputScale)",
    "Double(outputScale)", "LinkageTests", "a member's derivative leaves out its input's scale")
shapes(
    "same-output", "WindowGeometry.swift", "(size - 1) / stride * stride", "size / stride * stride",
    "ShapeInferenceTests", "an output of `same` has a column too many where the stride divides the width")
shapes(
    "same-padding", "WindowGeometry.swift", "columns.zeros / 2", "rows.zeros / 2", "ShapeInferenceTests|Golden",
    "columns are padded as rows are", occurrence=(1, 2))
shapes(
    "valid-window", "WindowGeometry.swift", "window.width <= width", "true",
    "ShapeInferenceTests|HostileValueTests",
    "a window that is wider than the image is taken")
shapes(
    "uneven-padding", "WindowGeometry.swift", "(top, left, bottom, right)", "(bottom, right, top, left)",
    "GoldenLayerTests|ShapeInferenceTests", "padding of the bottom and the right is put at the top and the left",
    occurrence=(4, 5))
shapes(
    "last-window", "WindowGeometry.swift", "whole * stride < size + before", "true",
    "GoldenLayerTests|ShapeInferenceTests", "a last window of pooling begins beyond the image")

# Optimizers and schedules.

optimizers = area("optimizers", "Sources/LinkedNet/Optimizers")

optimizers(
    "adam-correction", "Adam.swift", "pow(beta2, t)", "pow(beta1, t)",
    "GoldenOptimizerTests|TorchCurveTests", "second moments are corrected with the first's decay")
optimizers(
    "adam-epsilon", "Adam.swift", "epsilonPlacement == .beforeBiasCorrection ? epsilon : epsilon * correction2",
    "epsilon", "GoldenOptimizerTests", "epsilon stands before the correction always")
optimizers(
    "rmsprop-rho", "RMSProp.swift", "Float(1 - rho)", "Float(0.1)", "GoldenOptimizerTests|Optimizer", "rho is ignored")
optimizers(
    "sgd-decay", "ParameterUpdate+Kernel.swift", "Float(weightDecay)", "Float(0)", "GoldenOptimizerTests|Optimizer",
    "weight decay is ignored")
optimizers(
    "single-precision", "Optimizer.swift", "range.contains(Double(Float(value)))", "true",
    "Optimizer|HostileValueTests",
    "a number that leaves its range in single precision is taken")
optimizers(
    "cosine-final", "LearningRateSchedule.swift",
    "finalFactor + (1 - finalFactor) * (1 + cos(.pi * progress)) / 2", "(1 + cos(.pi * progress)) / 2",
    "Schedule|Optimizer",
    "a cosine ends at zero always")
optimizers(
    "warm-up-start", "LearningRateSchedule.swift", "Double(step + 1) / Double(max(steps, 1))",
    "Double(step) / Double(max(steps, 1))", "Schedule|Optimizer", "the first step of a warm-up changes nothing")
optimizers(
    "steps-unsorted", "LearningRateSchedule.swift", "steps[index].epoch >= latest.epoch", "true", "Schedule|Optimizer",
    "of steps in another order, the last listed counts")

# Data.

data = area("data", "Sources/LinkedNet/Data")

data(
    "shuffle-one-cycle", "Sampler.swift", "random.next(below: UInt64(last + 1))", "random.next(below: UInt64(last))",
    "SamplerTests", "no image stays in its place when shuffled")
data(
    "shuffle-same", "Sampler.swift", "UInt64(truncatingIfNeeded: epoch)", "0", "SamplerTests",
    "every epoch has the same order")
data(
    "shift-of-width", "Augmentation.swift", "Double(imageShape[1])", "Double(imageShape[0])", "AugmentationTests",
    "images move sideways by a share of their height")
data(
    "augmentation-same", "Augmentation.swift", "UInt64(truncatingIfNeeded: sample)", "0", "AugmentationTests",
    "all images of an epoch are moved alike")
data(
    "augmentation-by-slot", "BatchPreparation.swift", "Int(indices[image])", "image",
    "BatchLoaderTests|AugmentationTests",
    "an image's move depends on its place in the batch")
data(
    "order-of-first-epoch", "BatchPreparation.swift", "orderedEpoch != epoch", "orderedEpoch == nil",
    "BatchLoaderTests",
    "the first epoch's order stays")
data(
    "cifar-planes", "CIFARRecords.swift", "from[pixel &+ plane]", "from[pixel &+ 2 &* plane]", "CIFARTests",
    "green is blue")
data(
    "cifar-labels", "CIFARRecords.swift", "bytes[offset] < classes", "true", "CIFARTests|DamagedFileTests",
    "a label beyond the classes is read")
data(
    "idx-labels", "IDX.swift", "label >= classNames.count", "label > classNames.count", "IDXTests",
    "a label one beyond the classes is read")
data(
    "fingerprint-offset", "ImageDataset.swift", "scale != nil || offset != nil", "scale != nil", "ImageDatasetTests",
    "a dataset's fingerprint leaves out its offsets")
data(
    "fingerprint-prefix", "DatasetPrefix.swift", "count < base.count", "false",
    "DataSourceTests|ImageDatasetTests|PaperRunTests",
    "the first images have the fingerprint of all")

# Training.

training = area("training", "Sources/LinkedNet/Training")
named_training = area("named-training", "Sources/LinkedNet/Training")
runs = area("runs", "Sources/LinkedNet/Runs")
named_runs = area("named-runs", "Sources/LinkedNet/Runs")

named_runs(
    "no-early-retry", "SaveClock.swift", "hasFailed = failed", "", "SaveIntervalTests|RunSavingTests",
    "nothing retries early after a failed save", kind="statement")
named_training(
    "checksum-skipped", "Trainer+Checkpoint.swift",
    "try file.verifyChecksum(isRequired: file.metadata[Key.format] == Self.formatVersion)", "",
    "ResumeTests|DamagedFileTests", "Trainer.resume(from:) doesn't look at the checksum", kind="statement")
named_runs(
    "nan-during-save", "Run+Saving.swift", "(try? trainer.checkWeights()) != nil", "true",
    "RunSavingTests|NonFiniteTests",
    "weights that aren't finite are saved beside training")
training(
    "patience", "EarlyStopping.swift", "epoch - (best.epoch ?? first - 1) >= patience",
    "epoch - (best.epoch ?? first - 1) > patience", "BestScoreTests|TrainerTests",
    "early stopping waits an epoch longer")
training(
    "best-ties", "BestScore.swift", "metric.gain(of: score, over: value) > minimumGain",
    "metric.gain(of: score, over: value) >= minimumGain", "BestScoreTests", "an equal score counts as better")
training(
    "loss-gain", "Metric.swift", "other - value", "value - other", "BestScoreTests", "a higher loss counts as better")
training(
    "seed", "Trainer+Fit.swift", "seed ?? network.seed", "network.seed", "TrainerTests|RunTests|ResumeTests",
    "the seed of the batches is ignored")
training(
    "update-early", "ParameterUpdater.swift", "stretches[applied].range.lowerBound >= start", "true",
    "ParameterUpdaterTests", "parameters are updated before their gradients are complete")
training(
    "clip-scale", "ParameterUpdater.swift", "updateNext(gradientScale: gradientScale)", "updateNext(gradientScale: 1)",
    "ParameterUpdaterTests|TrainerTests", "gradients are not clipped", kind="statement")
training(
    "clip-norm", "Trainer.swift", "Float(limit / norm)", "Float(limit)", "TrainerTests|ParameterUpdaterTests",
    "clipped gradients have another norm than the limit")
training(
    "decay", "Trainer.swift", "Double(position.step)", "Double(position.step + 1)",
    "TrainerTests|GoldenOptimizerTests|TorchCurveTests", "time decay begins a step early")
training(
    "confusion-transposed", "Trainer+Evaluate.swift", "Int(labels[sample]) * classes + prediction",
    "prediction * classes + Int(labels[sample])", "TrainerTests|MicroBatchTests|SavedPaperRunTests",
    "a trainer's confusion matrix is transposed")
training(
    "prediction-ties", "Trainer+Evaluate.swift", "elements[index] > elements[best]",
    "elements[index] >= elements[best]",
    "TrainerTests|MicroBatchTests", "of equal outputs the last counts as the prediction")
training(
    "prediction-nan", "Trainer+Evaluate.swift", "elements[index].isNaN", "false",
    "TrainerTests|MicroBatchTests|NonFiniteTests",
    "an output that isn't a number gives a prediction")
training(
    "nan-epoch", "NonFiniteOrigin.swift", "isBetweenEpochs ? position.epoch : position.epoch + 1", "position.epoch + 1",
    "NonFiniteTests", "a weight that isn't finite at the end of an epoch is told of the next one")
runs(
    "metrics-beyond", "RunMetrics.swift", "epoch <= epochs", "true", "RunMetricsTests",
    "lines of epochs that are trained anew stay")
runs(
    "settings-not-compared", "Run.swift", "differences.isEmpty", "true", "RunTests",
    "a run goes on with other settings without a word")
runs(
    "network-accepted", "RunSettingTexts.swift", "!isBound(name)", "true", "RunTests",
    "another seed can be accepted, to which the saved weights don't belong")
runs(
    "strangers-best", "BestWeights.swift", "Self.name(number - 1) == name", "true", "BestWeightsTests",
    "a file that isn't the run's own is removed")
runs(
    "best-piles-up", "../Checkpoints/Generations.swift",
    "if let openDraft, openDraft != companion.draft { leftovers.remove(path(openDraft), on: disk) }", "",
    "BestWeightsTests", "files of best weights pile up while saves fail", kind="statement")
runs(
    "changed-settings-unsaved", "Run+Saving.swift", "record.texts() != savedTexts", "false", "ResumedSettingsTests",
    "changed settings are saved with the first step only")
runs(
    "other-network", "SavedRun.swift", "digest != network.graphDigest", "false", "ResumedSettingsTests",
    "a network that computes otherwise gets the saved weights")
runs(
    "observer-states", "Run.swift", "try restoreWatchers()", "", "ResumedSettingsTests",
    "observers begin anew in a resumed run", kind="statement")
runs(
    "slots-accepted", "RunSettingTexts.swift", "name == network || name == seed || name == slots",
    "name == network || name == seed", "ResumedSettingsTests",
    "an optimizer of other slots can be accepted")
rewrite(
    "norm-of-other-channels", "SharedNormalizations.swift", "norm.channels == convolution.kernel.outputShape[-1]",
    "true", "RewriteLegalityTests|GeneratedNetworkTests", "a BatchNorm takes the moments of other channels")
rewrite(
    "states-of-micro-batches", "MicroBatching.swift", "$0.operation.isSamplewise && $0.states.isEmpty",
    "$0.operation.isSamplewise", "RewriteLegalityTests",
    "micro-batches share a state")
graph(
    "identity-is-label", "GraphDigest.swift", "node.operation.identity", "node.operation.label", "GraphDigestTests",
    "the digest leaves out settings that no shape shows")
runs(
    "best-without-name", "../Checkpoints/Generations.swift", "if let companion { try settle(companion) }", "",
    "BestWeightsTests", "the best weights never get their name", kind="statement")
runs(
    "best-of-another-score", "BestWeights.swift", "try RunRecord(file).best == best", "true", "BestWeightsTests",
    "best weights count whatever the checkpoint's best score is")

# Checkpoints.

checkpoints = area("checkpoints", "Sources/LinkedNet/Checkpoints")
named_checkpoints = area("named-checkpoints", "Sources/LinkedNet/Checkpoints")
resuming = area("checkpoints", "Sources/LinkedNet/Training")

named_checkpoints(
    "second-moments-not-copied", "BorrowedTensor.swift", "zip(tensors, places)",
    "zip(tensors.filter { !$0.name.hasPrefix(\"optimizer:second_moment\") }, places)",
    "CheckpointWriterTests|RunSavingTests|ResumeTests",
    "the copy that is written beside training lacks Adam's second moments")
named_checkpoints(
    "failed-file-stays", "Generations.swift", "leftovers.remove(path(name), on: disk)", "",
    "SaveFaultTests|CheckpointWriterTests",
    "the file of a failed save stays", kind="statement")
checkpoints(
    "prune-all", "Generations.swift", "!whole.contains(number)", "number != newest", "SaveFaultTests|RunSavingTests",
    "only the newest checkpoint is kept")
checkpoints(
    "number-again", "Generations.swift", "max(numbers[0], pointed ?? 0)", "number",
    "SaveFaultTests|RunSavingTests|RunTests",
    "a resumed run overwrites a damaged newer checkpoint")
checkpoints(
    "changed-meanwhile", "Generations.swift", "found <= newest", "true", "RunTests|RunSavingTests|SaveFaultTests",
    "a run that another process has gone on with is continued")
checkpoints(
    "not-read-back", "DurableFile.swift", "try verify(temporary, contents: contents, on: disk)", "",
    "DurableFileTests|SaveFaultTests", "what was written is not read back", kind="statement")
checkpoints(
    "not-synchronized", "DiskFile.swift",
    "try attempt(.synchronize, path) { () throws(DiskError) in try synchronize(file) }", "",
    "DurableFileTests|SaveFaultTests", "a file is not synchronised before it is renamed", kind="statement")
checkpoints(
    "tensor-beyond-file", "SafetensorsHeader.swift", "tensor.end <= dataEnd - dataStart", "true",
    "SafetensorsFileTests|DamagedFileTests", "a tensor may end beyond its file")
checkpoints(
    "bytes-after-tensors", "SafetensorsHeader.swift", "position == dataEnd - dataStart", "true",
    "SafetensorsFileTests|DamagedFileTests", "bytes after the last tensor are ignored")
resuming(
    "misshapen", "Network+Files.swift", "entry.shape != info.shape", "false", "NetworkFilesTests",
    "a tensor of another shape is taken for the network's")
resuming(
    "resume-seed", "Trainer+Checkpoint.swift", "seed == String(network.seed)", "true", "ResumeTests|TrainerTests",
    "a checkpoint of another seed is resumed")
resuming(
    "resume-format", "Trainer+Checkpoint.swift", "Self.readableVersions.contains(format ?? \"\")", "true",
    "ResumeTests|DamagedFileTests|TrainerTests", "a checkpoint of an unknown format is resumed")
resuming(
    "resume-optimizer", "Trainer+Checkpoint.swift", "surplus == nil", "true", "ResumeTests|TrainerTests",
    "the state of another optimizer is ignored")

# Run options and commands.

options = area("options", "Sources/PaperNetworks/Settings")
named_options = area("named-options", "Sources/PaperNetworks/Settings")
train = area("options", "Sources/train")
named_train = area("named-options", "Sources/train")
named_evaluate = area("named-options", "Sources/evaluate")

OPTION_TESTS = "TrainTests|OptionTests|RunOptionsTests"
for name in ["network", "data", "training"]:
    train(
        f"{name}-ignored", "Train.swift", f"try {name}Options.ask(&options)", "", OPTION_TESTS,
        f"the options of the group {name} are ignored", kind="statement")
named_options(
    "batchNorm-ignored", "RunSettings.swift", "self.batchNorm", "false", OPTION_TESTS, "--batch-norm has no effect")
named_options(
    "initializer-ignored", "RunSettings.swift", "self.initializer.initializer", "nil", OPTION_TESTS,
    "--init has no effect")
named_train(
    "save-every-ignored", "Session.swift", "running.saveEvery", "GivenInterval?.none", OPTION_TESTS,
    "--save-every is ignored")
named_evaluate(
    "threads-ignored", "Evaluate.swift", "Self.failure.prepareKernels(threads: threads)",
    "Self.failure.prepareKernels(threads: nil)", "CommandTests", "--threads of evaluate is ignored", kind="statement")
named_evaluate(
    "confusion-transposed", "Report.swift",
    "Array(result.confusion[label * result.classCount..<(label + 1) * result.classCount])",
    "(0..<result.classCount).map { result.confusion[$0 * result.classCount + label] }", "CommandTests",
    "--confusion is transposed")
options(
    "dropout-ignored", "RunSettings.swift", "self.dropout", "true", OPTION_TESTS, "--no-dropout has no effect")
options(
    "widened-ignored", "RunSettings.swift", "self.widened", "false", OPTION_TESTS, "--sqrt2 has no effect")
options(
    "convolution-ignored", "RunSettings.swift", "self.convolution", "ConvolutionAlgorithm.automatic", OPTION_TESTS,
    "--convolution has no effect")
options(
    "default-for-asked", "Setting.swift", "options[self] ?? standard(defaults)", "standard(defaults)", OPTION_TESTS,
    "settings have their defaults whatever was asked for")
options(
    "experiment-decay", "Settings.swift", "$0.isExperiments ? $0.experiment.decay : 0", "$0.experiment.decay",
    "RunOptionsTests",
    "another optimizer than the experiment's has the experiment's decay")
options(
    "others-resumed", "RunOptions.swift", "$0.whenResumed == .same", "$0.whenResumed == .any", "RunOptionsTests",
    "a resumed run takes other settings without a word")
options(
    "nesterov", "RunSettings.swift", "self.momentum > 0", "false", "RunOptionsTests|RunTests|TrainerTests",
    "momentum of a run is not Nesterov's")

# Diagnostics.

diagnostics = area("diagnostics", "Sources/LinkedNet/Diagnostics")
observing = area("diagnostics", "Sources/LinkedNet/Training")

diagnostics(
    "dead-negative", "DeadNeurons.swift", "sampleValues[place] != 0", "sampleValues[place] > 0", "DiagnosticsTests",
    "a neuron that is negative always counts as dead")
diagnostics(
    "dead-places", "DeadNeurons.swift", "index / (layer.members * layer.units) * layer.units + unit",
    "index / (layer.members * layer.units) * layer.units", "DiagnosticsTests",
    "all neurons of a position live where one does")
diagnostics(
    "gradient-norm", "GradientFlow.swift", "squares[$0, default: 0].squareRoot()", "squares[$0, default: 0]",
    "DiagnosticsTests", "a gradient's norm is squared")
observing(
    "last-step", "DiagnosticsObserver.swift", "event.step % every == 0 || endsEpoch", "event.step % every == 0",
    "Diagnostics", "the last step of an epoch is not looked at")
observing(
    "samples-twice", "DiagnosticsObserver.swift", "$0.step <= event.position.step", "true", "Diagnostics",
    "what a killed run saw after its checkpoint is listed twice")
observing(
    "test-accuracy", "EventLines.swift", "test?.accuracy", "test?.loss", "TrainingLogTests|RunMetricsTests|RunTests",
    "an epoch's line has the test loss as accuracy")
