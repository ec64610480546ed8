#pragma once
#include <Eigen/Dense>

// The least-squares amplitude of `pulse` in `trace`, for white noise.
inline double amplitude(const Eigen::VectorXd& trace, const Eigen::VectorXd& pulse) {
  return trace.dot(pulse) / pulse.squaredNorm();
}
