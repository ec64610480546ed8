// An array is written as NumPy writes it and read back.
#include <NP.hh>

int main() {
  NP* array = NP::Make<float>(2, 3);
  for (int i = 0; i < 6; ++i) array->values<float>()[i] = 1.5f * i;
  array->save("photons.npy");
  NP* back = NP::Load("photons.npy");
  return back && back->shape == array->shape && back->cvalues<float>()[5] == 7.5f ? 0 : 1;
}
