// Winograd backward on many threads (see backward.h). All tasks share some chunks of each group at a time, which go
// through three stages:
//   1. the frequencies of dy                                   a task for each segment
//   2. dz, and the frequencies of blocks of a                  a task for each piece of a chunk and each slice
//   3. the sums over the chunks' tiles for dw                  a task for each group, frequency and some slices
// Where the pieces of chunks are enough tasks, a task of stage 2 takes all slices of a piece and does the work of stage
// 1, too. Every sum has the order that it has on few threads.

#include "drivers/convolution/winograd/backward.h"
#include "drivers/shared/blocks.h"
#include "runtime/threads.h"

enum { MOST_WEIGHT_FREQUENCIES = WINOGRAD_MAX_FREQUENCIES * WINOGRAD_MAX_FREQUENCIES };

// The tasks of stage 3 for one frequency of dw.
typedef struct frequency_tasks {
    int64_t frequency;
    int64_t slices;     // of a task
    int64_t first, end; // tasks of a group
} frequency_tasks;

// Stage 3: frequencies with many sums come first, and their tasks have fewer slices.
typedef struct product_plan {
    frequency_tasks frequencies[MOST_WEIGHT_FREQUENCIES];
    int64_t group_tasks;
} product_plan;

// How chunks become tasks of stage 2.
typedef struct chunk_cut {
    int64_t pieces; // of a chunk
    bool together;  // a task takes all slices of a piece, and the frequencies of the piece's dy
    int64_t time;
} chunk_cut;

typedef struct stage_call {
    const backward_call *call;
    const product_plan *products;
    int64_t first, chunks; // of each group: the first chunk, and how many
    chunk_cut cut;
} stage_call;

// The place of a chunk's frequencies.
static int64_t place_of(const stage_call *stages, int64_t group, int64_t chunk) {
    return group * stages->chunks + chunk - stages->first;
}

static float *gradients_at(const backward_call *call, int64_t place) {
    return call->memory.frequencies + place * chunk_frequencies(&call->plan);
}

static float *slice_at(const backward_call *call, int64_t place, int64_t slice) {
    return gradients_at(call, place) + call->plan.most_gradients + slice * call->plan.most_slice;
}

// The segments of a chunk of a group: none behind the group's end.
static segment_range chunk_segments(const backward_call *call, int64_t group, int64_t chunk) {
    const segment_range all = group_segments(call, group);
    const int64_t first = min_of(all.first + chunk * call->plan.chunk_segments, all.end);
    return (segment_range){first, min_of(first + call->plan.chunk_segments, all.end)};
}

static int64_t tiles_of(const backward_call *call, int64_t first, int64_t end) {
    int64_t tiles = 0;
    for (int64_t index = first; index < end; index++) tiles += ck_tile_segment(&call->plan.grid, index).tiles;
    return tiles;
}

static void map_segments(const backward_call *call, int64_t first, int64_t end, float *gradients, int worker) {
    const frequency_source source = gradient_source(call);
    float *plane = call->memory.plane + worker * call->memory.worker_floats;
    ck_segments_to_frequencies(
        &source, &call->plan.grid, first, end, call->dy, plane, gradients, &call->plan.gradients);
}

static void map_gradients(void *context, int64_t task, int worker) {
    const stage_call *stages = context;
    const backward_call *call = stages->call;
    const backward_plan *plan = &call->plan;
    const int64_t place = task / plan->chunk_segments;
    const int64_t group = place / stages->chunks, chunk = stages->first + place % stages->chunks;
    const segment_range segments = chunk_segments(call, group, chunk);
    const int64_t segment = segments.first + task % plan->chunk_segments;
    if (segment >= segments.end) return;
    float *gradients = gradients_at(call, place) + tiles_of(call, segments.first, segment) * plan->gradients.row;
    map_segments(call, segment, segment + 1, gradients, worker);
}

// A piece of a chunk for the slices first_slice ..< end_slice.
static void compute_piece(
    const stage_call *stages, int64_t group, int64_t chunk, int64_t piece, int64_t first_slice, int64_t end_slice,
    int worker) {
    const backward_call *call = stages->call;
    const backward_plan *plan = &call->plan;
    const segment_range segments = chunk_segments(call, group, chunk);
    const int64_t count = segments.end - segments.first;
    const int64_t first = segments.first + piece * count / stages->cut.pieces;
    const int64_t end = segments.first + (piece + 1) * count / stages->cut.pieces;
    if (first == end) return;
    const int64_t place = place_of(stages, group, chunk), tile = tiles_of(call, segments.first, first);
    task_view view = {
        .call = call,
        .plane = call->memory.plane + worker * call->memory.worker_floats,
        .gradients = gradients_at(call, place) + tile * plan->gradients.row,
        .pixels = call->memory.pixels + worker * call->memory.worker_floats,
    };
    if (stages->cut.together) map_segments(call, first, end, view.gradients, worker);
    for (int64_t slice = first_slice; slice < end_slice; slice++) {
        show_slice(&view, group, slice);
        view.frequencies = slice_at(call, place, slice) + tile * plan->slice.row;
        view.slope_part = slope_part_of(&view, group, chunk == 0);
        if (call->dz != NULL || view.slope_part != NULL) ck_winograd_backward_data(&view, first, end);
        if (call->dweights != NULL) ck_winograd_map_blocks(&view, first, end);
    }
}

// The tasks of stage 2 for one piece of a chunk, and for all slices.
static int64_t slice_tasks(const stage_call *stages) { return stages->cut.together ? 1 : stages->call->plan.slices; }

static void compute_data(void *context, int64_t task, int worker) {
    const stage_call *stages = context;
    const int64_t tasks = slice_tasks(stages), index = task / tasks, slice = task % tasks;
    const int64_t end_slice = stages->cut.together ? stages->call->plan.slices : slice + 1;
    if (stages->call->slope_gradients == NULL) {
        const int64_t place = index / stages->cut.pieces, piece = index % stages->cut.pieces;
        const int64_t group = place / stages->chunks, chunk = stages->first + place % stages->chunks;
        compute_piece(stages, group, chunk, piece, slice, end_slice, worker);
        return;
    }
    // Chunks of a group add to one sum of the slopes' gradients.
    for (int64_t chunk = 0; chunk < stages->chunks; chunk++)
        compute_piece(stages, index, stages->first + chunk, 0, slice, end_slice, worker);
}

static int64_t bias_tasks(const backward_call *call) { return call->bias_parts == NULL ? 0 : call->plan.groups; }

// The first tasks add up the bias of a group.
static void add_products(void *context, int64_t task, int worker) {
    (void)worker;
    const stage_call *stages = context;
    const backward_call *call = stages->call;
    const int64_t biases = bias_tasks(call);
    if (task < biases) {
        const int64_t first = chunk_segments(call, task, stages->first).first;
        const int64_t end = chunk_segments(call, task, stages->first + stages->chunks - 1).end;
        ck_winograd_add_bias(call, task, first, end);
        return;
    }
    const int64_t group_tasks = stages->products->group_tasks;
    const int64_t group = (task - biases) / group_tasks, index = (task - biases) % group_tasks;
    const frequency_tasks *tasks = stages->products->frequencies;
    while (index >= tasks->end) tasks++;
    // Slices come last: they share the frequencies of dy.
    const int64_t first_slice = (index - tasks->first) * tasks->slices;
    const int64_t end_slice = min_of(first_slice + tasks->slices, call->plan.slices);
    task_view view = {.call = call};
    for (int64_t chunk = stages->first; chunk < stages->first + stages->chunks; chunk++) {
        const segment_range segments = chunk_segments(call, group, chunk);
        if (segments.first == segments.end) return;
        const int64_t place = place_of(stages, group, chunk), tiles = tiles_of(call, segments.first, segments.end);
        view.gradients = gradients_at(call, place);
        for (int64_t slice = first_slice; slice < end_slice; slice++) {
            show_slice(&view, group, slice);
            view.frequencies = slice_at(call, place, slice);
            ck_winograd_add_weights(&view, tiles, chunk == 0, tasks->frequency);
        }
    }
}

// How many slices a task of stage 3 takes that adds one product for each: as many as leave few threads idle.
static int64_t product_slices(const backward_call *call, int64_t threads) {
    const backward_plan *plan = &call->plan;
    const int64_t products = plan->groups * input_frequencies(call->tiles);
    int64_t best = 1, least_idle = INT64_MAX;
    for (int64_t slices = plan->slices; slices > 0; slices--) {
        const int64_t idle = idle_share(products * divide_up(plan->slices, slices), threads);
        if (idle < least_idle) best = slices, least_idle = idle;
        if (idle <= MOST_IDLE) break;
    }
    return best;
}

static void plan_products(const backward_call *call, int64_t threads, product_plan *products) {
    const int64_t slices = product_slices(call, threads), frequencies = weight_frequencies(call->tiles);
    int64_t sums[MOST_WEIGHT_FREQUENCIES], most = 0, count = 0, tasks = 0;
    for (int64_t frequency = 0; frequency < frequencies; frequency++) {
        sums[frequency] = weight_sums(call->tiles, frequency);
        most = max_of(most, sums[frequency]);
    }
    for (; most > 0; most--)
        for (int64_t frequency = 0; frequency < frequencies; frequency++) {
            if (sums[frequency] != most) continue;
            const int64_t own = max_of(slices / most, 1), end = tasks + divide_up(call->plan.slices, own);
            products->frequencies[count++] = (frequency_tasks){frequency, own, tasks, end};
            tasks = end;
        }
    products->group_tasks = tasks;
}

// The time of stage 2 for so many chunks of each group, in pieces for one slice or for all: a slice of a tile takes 1.
static int64_t time_of(const backward_plan *plan, int64_t chunks, const chunk_cut *cut, int64_t threads) {
    const int64_t tiles = divide_up(plan->chunk_segments, cut->pieces) * plan->grid.segment_columns;
    const int64_t slices = cut->together ? plan->slices : 1;
    const int64_t tasks = plan->groups * chunks * cut->pieces * plan->slices / slices;
    // Frequencies of dy come from the caches of other threads, once.
    const int64_t fetched = cut->together ? 0 : tiles / (4 * plan->slices);
    return divide_up(tasks, threads) * slices * (tiles + PASS_TILES + fetched);
}

static chunk_cut best_cut(const backward_call *call, int64_t chunks, int64_t threads) {
    enum { TASKS_OF_THREAD = 3 };
    const backward_plan *plan = &call->plan;
    if (call->slope_gradients != NULL) {
        const int64_t tiles = plan->chunk_segments * plan->grid.segment_columns;
        return (chunk_cut){1, false, divide_up(plan->groups * plan->slices, threads) * chunks * (tiles + PASS_TILES)};
    }
    chunk_cut best = {.time = INT64_MAX};
    for (int together = 1; together >= 0; together--) {
        const int64_t tasks = plan->groups * chunks * (together ? 1 : plan->slices);
        const int64_t most = min_of(divide_up(TASKS_OF_THREAD * threads, tasks), plan->chunk_segments);
        for (int64_t pieces = 1; pieces <= most; pieces++) {
            chunk_cut cut = {.pieces = pieces, .together = together};
            cut.time = time_of(plan, chunks, &cut, threads);
            if (cut.time < best.time) best = cut;
        }
    }
    return best;
}

// How many chunks of each group go through the stages at once: few, so that they stay in the caches, unless more are
// faster.
static int64_t chunks_at_once(const backward_call *call, int64_t threads) {
    const backward_plan *plan = &call->plan;
    const int64_t most = min_of(plan->stage_chunks, plan->group_chunks);
    int64_t best = 1, least = INT64_MAX;
    for (int64_t chunks = 1; chunks <= most; chunks++) {
        const int64_t rest = plan->group_chunks % chunks;
        int64_t time = plan->group_chunks / chunks * best_cut(call, chunks, threads).time;
        if (rest > 0) time += best_cut(call, rest, threads).time;
        if (time < least - least / 32) best = chunks, least = time;
        if (plan->groups * chunks >= 2 * threads) break;
    }
    return best;
}

void ck_winograd_backward_in_stages(const backward_call *call) {
    const backward_plan *plan = &call->plan;
    const double work = convolution_work(call->convolution);
    const int64_t threads = ck_threads_for(work), at_once = chunks_at_once(call, threads);
    product_plan products;
    plan_products(call, threads, &products);
    const int64_t product_tasks = call->dweights == NULL ? 0 : plan->groups * products.group_tasks;
    const int64_t sum_tasks = bias_tasks(call) + product_tasks;
    for (int64_t first = 0; first < plan->group_chunks; first += at_once) {
        const int64_t group_chunks = min_of(at_once, plan->group_chunks - first), chunks = plan->groups * group_chunks;
        stage_call stages = {call, &products, first, group_chunks, best_cut(call, group_chunks, threads)};
        if (!stages.cut.together) ck_parallel(chunks * plan->chunk_segments, work, map_gradients, &stages);
        const int64_t units = call->slope_gradients == NULL ? chunks * stages.cut.pieces : plan->groups;
        ck_parallel(units * slice_tasks(&stages), work, compute_data, &stages);
        if (sum_tasks > 0) ck_parallel(sum_tasks, work, add_products, &stages);
    }
}
