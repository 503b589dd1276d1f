// Winograd backward on many threads (see backward.h). All tasks share some chunks of each group at a time, which go
// through three stages:
//   1. the frequencies of dy                                   a task for each segment
//   2. dz, and the frequencies of blocks of a                  a task for each piece of a chunk and each slice
//   3. the sums over the chunks' tiles for dw                  a task for each group, frequency and some slices
// Every sum has the order that it has on few threads.

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

typedef struct stage_call {
    const backward_call *call;
    const product_plan *products;
    int64_t first, chunks; // of each group: the first chunk, and how many
    int64_t pieces;        // of a chunk, in stage 2
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

// The first tasks add up the bias of a group.
static void map_gradients(void *context, int64_t task, int worker) {
    const stage_call *stages = context;
    const backward_call *call = stages->call;
    const backward_plan *plan = &call->plan;
    if (task < plan->groups) {
        if (call->bias_parts == NULL) return;
        const int64_t first = chunk_segments(call, task, stages->first).first;
        const int64_t end = chunk_segments(call, task, stages->first + stages->chunks - 1).end;
        ck_winograd_add_bias(call, task, first, end);
        return;
    }
    const int64_t place = (task - plan->groups) / plan->chunk_segments;
    const int64_t group = place / stages->chunks, chunk = stages->first + place % stages->chunks;
    const segment_range segments = chunk_segments(call, group, chunk);
    const int64_t segment = segments.first + (task - plan->groups) % plan->chunk_segments;
    if (segment >= segments.end) return;
    const frequency_source gradients = gradient_source(call);
    ck_segments_to_frequencies(
        &gradients, &plan->grid, segment, segment + 1, call->dy,
        call->memory.plane + worker * call->memory.worker_floats,
        gradients_at(call, place) + tiles_of(call, segments.first, segment) * plan->gradients.row, &plan->gradients);
}

static void compute_piece(
    const stage_call *stages, int64_t group, int64_t chunk, int64_t piece, int64_t slice, int worker) {
    const backward_call *call = stages->call;
    const backward_plan *plan = &call->plan;
    const segment_range segments = chunk_segments(call, group, chunk);
    const int64_t count = segments.end - segments.first;
    const int64_t first = segments.first + piece * count / stages->pieces;
    const int64_t end = segments.first + (piece + 1) * count / stages->pieces;
    if (first == end) return;
    const int64_t place = place_of(stages, group, chunk), tile = tiles_of(call, segments.first, first);
    task_view view = {
        .call = call,
        .plane = call->memory.plane + worker * call->memory.worker_floats,
        .gradients = gradients_at(call, place) + tile * plan->gradients.row,
        .frequencies = slice_at(call, place, slice) + tile * plan->slice.row,
        .pixels = call->memory.pixels + worker * call->memory.worker_floats,
    };
    show_slice(&view, group, slice);
    view.slope_part = slope_part_of(&view, group, chunk == 0);
    if (call->dz != NULL || view.slope_part != NULL) ck_winograd_backward_data(&view, first, end);
    if (call->dweights != NULL) ck_winograd_map_blocks(&view, first, end);
}

static void compute_data(void *context, int64_t task, int worker) {
    const stage_call *stages = context;
    const int64_t slice = task % stages->call->plan.slices, index = task / stages->call->plan.slices;
    if (stages->call->slope_gradients == NULL) {
        const int64_t chunk = index / stages->pieces, piece = index % stages->pieces;
        compute_piece(stages, chunk / stages->chunks, stages->first + chunk % stages->chunks, piece, slice, worker);
        return;
    }
    // Chunks of a group add to one sum of the slopes' gradients.
    for (int64_t chunk = 0; chunk < stages->chunks; chunk++)
        compute_piece(stages, index, stages->first + chunk, 0, slice, worker);
}

static void add_products(void *context, int64_t task, int worker) {
    (void)worker;
    const stage_call *stages = context;
    const backward_call *call = stages->call;
    const int64_t group = task / stages->products->group_tasks, index = task % stages->products->group_tasks;
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

// How many chunks of each group go through the stages at once: few, so that they stay in the caches, but as many as
// give all threads about the same number of tasks in stage 2.
static int64_t chunks_at_once(const backward_plan *plan, int64_t threads) {
    int64_t best = 1, least_idle = INT64_MAX;
    for (int64_t chunks = 1; chunks <= min_of(plan->stage_chunks, plan->group_chunks); chunks++) {
        const int64_t tasks = plan->groups * chunks * plan->slices, idle = idle_share(tasks, threads);
        if (idle < least_idle) best = chunks, least_idle = idle;
        if (idle <= MOST_IDLE && tasks > threads) break;
    }
    return best;
}

// How many pieces of a chunk are tasks of stage 2. The tiles of a chunk don't depend on one another there. The number
// ends the stage first; among such numbers it is the largest that gives a thread a few tasks, because threads are never
// equally fast. Whole chunks pass over the weights less often.
static int64_t pieces_of_chunk(const backward_call *call, int64_t chunks, int64_t threads) {
    enum { TASKS_OF_THREAD = 3 };
    if (call->slope_gradients != NULL) return 1;
    const int64_t tasks = chunks * call->plan.slices, segments = call->plan.chunk_segments;
    int64_t best = 1, least = INT64_MAX;
    for (int64_t pieces = 1; pieces <= min_of(divide_up(TASKS_OF_THREAD * threads, tasks), segments); pieces++) {
        const int64_t time = divide_up(tasks * pieces, threads) * divide_up(segments, pieces);
        if (time <= least) best = pieces, least = time;
    }
    return best;
}

void ck_winograd_backward_in_stages(const backward_call *call) {
    const backward_plan *plan = &call->plan;
    const double work = convolution_work(call->convolution);
    const int64_t threads = ck_threads_for(work), at_once = chunks_at_once(plan, threads);
    product_plan products;
    plan_products(call, threads, &products);
    for (int64_t first = 0; first < plan->group_chunks; first += at_once) {
        const int64_t group_chunks = min_of(at_once, plan->group_chunks - first), chunks = plan->groups * group_chunks;
        stage_call stages = {call, &products, first, group_chunks, pieces_of_chunk(call, chunks, threads)};
        ck_parallel(plan->groups + chunks * plan->chunk_segments, work, map_gradients, &stages);
        const int64_t units = call->slope_gradients == NULL ? chunks * stages.pieces : plan->groups;
        ck_parallel(units * plan->slices, work, compute_data, &stages);
        if (call->dweights != NULL) ck_parallel(plan->groups * products.group_tasks, work, add_products, &stages);
    }
}
