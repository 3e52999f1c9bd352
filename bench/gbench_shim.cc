// SPDX-License-Identifier: MIT
// The C shim over Google Benchmark; see gbench_shim.h.
#include "bench/gbench_shim.h"

#include <benchmark/benchmark.h>

namespace
{

// Keeps what each repetition took; prints nothing.
class Recorder : public benchmark::BenchmarkReporter
{
  public:
    Recorder(double *ns, unsigned room) : ns_(ns), room_(room)
    {
    }
    bool ReportContext(const Context &) override
    {
        return true;
    }
    void ReportRuns(const std::vector<Run> &runs) override
    {
        for (const Run &run : runs)
            if (run.run_type == Run::RT_Iteration && !run.error_occurred && count_ < room_)
                ns_[count_++] = run.GetAdjustedRealTime();
    }
    unsigned count() const
    {
        return count_;
    }

  private:
    double *ns_;
    unsigned room_;
    unsigned count_ = 0;
};

} // namespace

unsigned gbench_run(const char *name, gbench_function *function, void *arg, unsigned repetitions,
                    double *ns)
{
    benchmark::ClearRegisteredBenchmarks();
    benchmark::RegisterBenchmark(name,
                                 [=](benchmark::State &state) {
                                     for (auto _ : state)
                                         state.SetIterationTime(function(arg) * 1e-9);
                                 })
        ->Iterations(1)
        ->Repetitions(static_cast<int>(repetitions))
        ->UseManualTime()
        ->Unit(benchmark::kNanosecond);
    Recorder recorder(ns, repetitions);
    benchmark::RunSpecifiedBenchmarks(&recorder);
    return recorder.count();
}
