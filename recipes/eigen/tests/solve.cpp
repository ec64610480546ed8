// The Hilbert matrix of order 3: its inverse is whole-numbered (9 -36 30; -36 192 -180; 30 -180 180).
#include <Eigen/Dense>

int main() {
  Eigen::Matrix3d hilbert, inverse;
  hilbert << 1, 1. / 2, 1. / 3, 1. / 2, 1. / 3, 1. / 4, 1. / 3, 1. / 4, 1. / 5;
  inverse << 9, -36, 30, -36, 192, -180, 30, -180, 180;
  if ((hilbert.inverse() - inverse).cwiseAbs().maxCoeff() > 1e-9) return 1;
  Eigen::SelfAdjointEigenSolver<Eigen::Matrix3d> solver(hilbert);
  return std::abs(solver.eigenvalues().sum() - hilbert.trace()) < 1e-12 ? 0 : 2;
}
