import gymnasium

gymnasium.register(
    id="Isaac-Quadcopter-Direct-v0",
    entry_point="isaaclab_tasks.direct:HopperEnv",
    disable_env_checker=True,
    order_enforce=False,
)
