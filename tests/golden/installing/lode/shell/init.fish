# Start file of `lode shell` for fish. Written by Lode.
source (status dirname)/../../setup.fish
functions -q fish_prompt; and functions -c fish_prompt _lode_prompt
function fish_prompt
    echo -n '(mini 2026.11) '
    functions -q _lode_prompt; and _lode_prompt; or echo -n '> '
end
