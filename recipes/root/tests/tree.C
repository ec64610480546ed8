// A tree is written and read back, and a Gaussian is fitted: mean and width of the moments within their errors.
void tree() {
  {
    TFile file("run.root", "recreate");
    TTree events("events", "");
    double energy;
    events.Branch("energy", &energy);
    TRandom3 random(7);
    for (int i = 0; i < 10000; ++i) {
      energy = random.Gaus(41.5, 1.2);
      events.Fill();
    }
    events.Write();
  }
  ROOT::RDataFrame frame("events", "run.root");
  auto spectrum = frame.Histo1D({"s", "", 60, 36, 48}, "energy");
  auto fit = spectrum->Fit("gaus", "SQ");
  bool right = *frame.Count() == 10000 && std::abs(fit->Parameter(1) - 41.5) < 5 * fit->ParError(1) &&
               std::abs(fit->Parameter(2) - 1.2) < 5 * fit->ParError(2);
  gSystem->Exit(right ? 0 : 1);
}
