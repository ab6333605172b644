# `make run` and `make test` need nothing before them. README.md has the same without make.
#   TORCH=cpu     takes PyTorch's own CPU build where PyPI's would bring CUDA (https://download.pytorch.org/whl/cpu)
#   PART=kills    one part of `make test-full`
.PHONY: run test test-full lock clean
.NOTPARALLEL:

run:
	@sh tools/venv.sh requirements.lock "$(TORCH)"
	.venv/bin/python -m handlens train session
	@echo; echo "The command handlens is in .venv/bin; to have it in this terminal:  source .venv/bin/activate"

test:
	@sh tools/venv.sh requirements-dev.lock "$(TORCH)"
	.venv/bin/python -m ruff check
	.venv/bin/python -m ruff format --check
	.venv/bin/python -m mypy
	.venv/bin/python -m pytest -n 2 --durations 10

# Everything, in full numbers: named parts of at most an hour each. It goes on where it was stopped.
test-full:
	@sh tools/venv.sh requirements-dev.lock "$(TORCH)"
	.venv/bin/python tests/full.py $(PART)

# Resolve the three locks anew. They keep the versions they have; delete them first to bring everything up to date.
lock:
	@sh tools/venv.sh requirements-dev.lock "$(TORCH)"
	.venv/bin/python -m pip install --quiet "uv>=0.13"
	.venv/bin/python tools/lock.py

clean:
	rm -rf .venv
