// The scalar backend computes as the language does.
#include <VecCore/VecCore>

int main() {
  using Double_v = vecCore::backend::Scalar::Double_v;
  Double_v x(2.0);
  return vecCore::math::Sqrt(x * x) == 2.0 && vecCore::VectorSize<Double_v>() == 1 ? 0 : 1;
}
