package gridfold.peer;

/** The fields of a home battery that the peer keeps, each by its index. */
final class Fields {
    static final NameTable NAMES = new NameTable(
            "powerW", "energyOutWh", "energyInWh", "tempC", "frequencyHz", "voltageV", "heartbeat", "soc",
            "energyRemainingWh", "energyFullWh", "reserveSoc", "availableChargeW", "availableDischargeW",
            "siteW", "loadW", "solarW", "gridStatus");
    static final int COUNT = NAMES.size();

    static final int POWER = NAMES.indexOf("powerW");
    static final int ENERGY_OUT = NAMES.indexOf("energyOutWh");
    static final int ENERGY_IN = NAMES.indexOf("energyInWh");
    static final int SITE = NAMES.indexOf("siteW");
    static final int LOAD = NAMES.indexOf("loadW");
    static final int SOLAR = NAMES.indexOf("solarW");
    static final int GRID_STATUS = NAMES.indexOf("gridStatus");

    static final int METERS = 1 << SITE | 1 << LOAD | 1 << SOLAR;

    /** Words of field `gridStatus`; its value is the index of the word. */
    static final NameTable GRID_WORDS = new NameTable(
            "SystemGridConnected", "SystemTransitionToIsland", "SystemIslandedReady", "SystemIslandedActive",
            "SystemTransitionToGrid", "SystemMicroGridFaulted", "SystemWaitForUser", "on_grid", "off_grid",
            "off_grid_intentional", "off_grid_unintentional", "island_status_unknown");

    private Fields() {}
}
