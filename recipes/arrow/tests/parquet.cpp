// Hits of a run go into a Parquet file and come back, with one row group for each thousand.
#include <arrow/api.h>
#include <arrow/io/api.h>
#include <parquet/arrow/reader.h>
#include <parquet/arrow/writer.h>
#include <parquet/file_reader.h>

#include <cstdlib>

static void require(bool holds) {
  if (!holds) std::abort();
}

int main() {
  arrow::UInt16Builder channels;
  arrow::DoubleBuilder energies;
  for (int i = 0; i < 3000; ++i) {
    require(channels.Append(static_cast<std::uint16_t>(i % 64)).ok());
    require((i % 10 ? energies.Append(i / 10.0) : energies.AppendNull()).ok());
  }
  auto schema = arrow::schema({arrow::field("channel", arrow::uint16()), arrow::field("energy", arrow::float64())});
  auto table = arrow::Table::Make(schema, {*channels.Finish(), *energies.Finish()});
  for (auto codec : {parquet::Compression::ZSTD, parquet::Compression::SNAPPY, parquet::Compression::GZIP}) {
    auto sink = *arrow::io::BufferOutputStream::Create();
    auto how = parquet::WriterProperties::Builder().compression(codec)->build();
    require(parquet::arrow::WriteTable(*table, arrow::default_memory_pool(), sink, 1000, how).ok());
    auto buffer = *sink->Finish();
    // Apache Parquet, "File format": the magic number at both ends.
    require(buffer->ToString().substr(0, 4) == "PAR1" && buffer->ToString().substr(buffer->size() - 4) == "PAR1");
    auto source = std::make_shared<arrow::io::BufferReader>(buffer);
    auto metadata = parquet::ParquetFileReader::Open(source)->metadata();
    require(metadata->num_rows() == 3000 && metadata->num_row_groups() == 3);
    auto reader = *parquet::arrow::OpenFile(source, arrow::default_memory_pool());
    std::shared_ptr<arrow::Table> back;
    require(reader->ReadTable(&back).ok());
    require(back->Equals(*table) && back->column(1)->null_count() == 300);
  }
}
