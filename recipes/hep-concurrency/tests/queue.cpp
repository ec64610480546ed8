// Tasks of one serial queue never run at once, so that a plain counter is right.
#include <hep_concurrency/SerialTaskQueue.h>
#include <tbb/task_group.h>

int main() {
  tbb::task_group group;
  hep::concurrency::SerialTaskQueue queue(group);
  int count = 0;
  for (int i = 0; i < 1000; ++i) queue.push([&count] { ++count; });
  group.wait();
  return count == 1000 ? 0 : 1;
}
