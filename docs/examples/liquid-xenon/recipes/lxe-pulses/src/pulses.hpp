#pragma once
#include <cstddef>

// The sum of samples above the baseline, in photoelectrons.
double pulse_area(const short* samples, std::size_t count, double baseline, double gain);
