"""What happens upstream after a recipe was written: new releases, known vulnerabilities."""
