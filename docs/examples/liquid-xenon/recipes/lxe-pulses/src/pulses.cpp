#include "pulses.hpp"

double pulse_area(const short* samples, std::size_t count, double baseline, double gain) {
  double area = 0;
  for (std::size_t i = 0; i < count; ++i) area += (samples[i] - baseline) / gain;
  return area;
}
