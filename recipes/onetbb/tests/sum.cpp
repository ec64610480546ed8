// A sum over many tasks is the closed form.
#include <tbb/blocked_range.h>
#include <tbb/parallel_reduce.h>

int main() {
  long sum = tbb::parallel_reduce(
      tbb::blocked_range<long>(1, 1000001), 0L,
      [](const tbb::blocked_range<long>& range, long part) {
        for (long i = range.begin(); i != range.end(); ++i) part += i;
        return part;
      },
      [](long a, long b) { return a + b; });
  return sum == 500000500000L ? 0 : 1;
}
