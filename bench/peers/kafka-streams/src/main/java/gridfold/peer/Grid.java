package gridfold.peer;

/** How the home stands to the grid, as its gateway says. */
final class Grid {
    static final String[] STATES = {
        "unknown", "gridTied", "transitionToIsland", "islanded", "islandedReady", "transitionToGrid",
        "waitForUser", "microGridFaulted"
    };
    static final int UNKNOWN = 0;
    private static final int GRID_TIED = 1;
    private static final int TO_ISLAND = 2;
    private static final int ISLANDED = 3;
    private static final int ISLANDED_READY = 4;
    private static final int TO_GRID = 5;
    private static final int WAIT_FOR_USER = 6;
    private static final int FAULTED = 7;

    /** State of each word of field `gridStatus`. */
    private static final int[] STATE_OF_WORD = {
        GRID_TIED, TO_ISLAND, ISLANDED_READY, ISLANDED, TO_GRID, FAULTED, WAIT_FOR_USER,
        GRID_TIED, ISLANDED, ISLANDED, ISLANDED, UNKNOWN
    };

    static void fold(AssetState asset, Reading reading, Facts facts) {
        if (!reading.tells(Fields.GRID_STATUS)) return;
        int state = STATE_OF_WORD[(int) reading.values[Fields.GRID_STATUS]];
        if (state != UNKNOWN) asset.grid.enter(state, reading.deviceTime, "grid_status", facts);
    }

    private Grid() {}
}
